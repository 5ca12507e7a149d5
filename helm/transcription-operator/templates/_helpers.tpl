{{- define "transcription-operator.selector" -}}
app.kubernetes.io/name: transcription-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The labels by which workers' pods are known: names.py's. */ -}}
{{- define "transcription-operator.workers" -}}
app.kubernetes.io/name: transcriber
app.kubernetes.io/managed-by: transcription-operator
{{- end }}

{{- /* The labels of every object. */ -}}
{{- define "transcription-operator.labels" -}}
{{- $ours := include "transcription-operator.selector" . | fromYaml }}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) }}
{{- merge $ours (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{- /* The metadata of an object, or of a pod template: .name and .namespace where it has them, and
.labels and .annotations that win over what all objects have. .root is the chart's context. */ -}}
{{- define "transcription-operator.metadata" -}}
{{- $made := dict }}
{{- with .name }}{{ $_ := set $made "name" . }}{{ end }}
{{- with .namespace }}{{ $_ := set $made "namespace" . }}{{ end }}
{{- $labels := include "transcription-operator.labels" .root | fromYaml }}
{{- $_ := set $made "labels" (merge dict (.labels | default dict) $labels) }}
{{- with merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
{{- $_ := set $made "annotations" . }}
{{- end }}
{{- toYaml $made }}
{{- end }}

{{- define "transcription-operator.serviceAccount" -}}
{{ .Values.operator.serviceAccount.name | default .Release.Name }}
{{- end }}

{{- /* The image reference of .image, with the chart's version where no tag is given. */ -}}
{{- define "transcription-operator.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end -}}
{{- end }}

{{- /* The names of the node pools that are not null, in order, as JSON. */ -}}
{{- define "transcription-operator.pools" -}}
{{- $pools := list }}
{{- range $name, $pool := .Values.nodePools }}
{{- if kindIs "map" $pool }}{{ $pools = append $pools $name }}{{ end }}
{{- end }}
{{- sortAlpha $pools | toJson }}
{{- end }}

{{- /* Egress to DNS, wherever the cluster has it: a Service, a cache on the node, the host. */ -}}
{{- define "transcription-operator.dns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{- /* imagePullSecrets as a pod has them. */ -}}
{{- define "transcription-operator.pullSecrets" -}}
{{- range .Values.imagePullSecrets }}
- name: {{ . }}
{{- end }}
{{- end }}

{{- /* What the restricted Pod Security Standard asks of a pod, and of its containers. */ -}}
{{- define "transcription-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "transcription-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* watchNamespaceSelector as `kubectl get -l` takes it. */ -}}
{{- define "transcription-operator.namespaceSelector" -}}
{{- $parts := list }}
{{- range $key, $value := .Values.watchNamespaceSelector.matchLabels }}
{{- $parts = append $parts (printf "%s=%s" $key $value) }}
{{- end }}
{{- range .Values.watchNamespaceSelector.matchExpressions }}
{{- $values := join "," .values }}
{{- $parts = append $parts (get (dict "In" (printf "%s in (%s)" .key $values) "NotIn" (printf "%s notin (%s)" .key $values) "Exists" .key "DoesNotExist" (printf "!%s" .key)) .operator) }}
{{- end }}
{{- join "," $parts }}
{{- end }}

{{- /* The keys of an object store's Secret: the contract's STORE_VARIABLES, and the certificate. */ -}}
{{- define "transcription-operator.storeKeys" -}}
["endpoint", "accessKey", "secretKey", "region", "sessionToken", "requestPayer", "serverSideEncryption", "kmsKeyId", "addressing", "caCert"]
{{- end }}

{{- /* The variables that the operator itself gives a worker: the contract's, and pod.py's. */ -}}
{{- define "transcription-operator.workerVariables" -}}
["TASK", "NVIDIA_VISIBLE_DEVICES", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_REQUEST_PAYER", "AWS_SERVER_SIDE_ENCRYPTION", "AWS_SSE_KMS_KEY_ID", "AWS_S3_ADDRESSING_STYLE"]
{{- end }}

{{- /* CEL: whether the string .value is among .entries, which are names, or prefixes and *. */ -}}
{{- define "transcription-operator.isAmong" -}}
{{- $names := list }}
{{- $prefixes := list }}
{{- range .entries }}
{{- if hasSuffix "*" . }}{{ $prefixes = append $prefixes (trimSuffix "*" .) }}{{ else }}{{ $names = append $names . }}{{ end }}
{{- end -}}
({{ .value }} in {{ toJson $names }} || {{ toJson $prefixes }}.exists(prefix, {{ .value }}.startsWith(prefix)))
{{- end }}

{{- /* What the operator may do. No Secrets, no exec, no creation of pods, no wildcard. */ -}}
{{- define "transcription-operator.rules" -}}
- apiGroups: [transcription.dev]
  resources: [transcriptionjobs]
  verbs: [get, list, watch, delete]
- apiGroups: [transcription.dev]
  resources: [transcriptionjobs/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
{{- if .Values.lostNodes.enabled }}
# The status of pods that are deleted, on lost nodes or beside containers that do not end.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
{{- if not .Values.watchNamespaces }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- end }}
# Why the Job controller could not create pods.
- apiGroups: [""]
  resources: [events]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Whether pods are deleted because their namespace is, and which namespaces match the selector.
- apiGroups: [""]
  resources: [namespaces]
  verbs: {{ ternary "[get, list, watch]" "[get]" (not (empty .Values.watchNamespaceSelector)) }}
{{- end }}
