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

{{- /* What the operator may do. No Secrets, no exec, no creation of pods, no wildcard. */ -}}
{{- define "transcription-operator.rules" -}}
- apiGroups: [transcription.dev]
  resources: [transcriptionjobs]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [transcription.dev]
  resources: [transcriptionjobs/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# The status of pods on lost nodes, which their Jobs wait for.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
# Why the Job controller could not create pods.
- apiGroups: [""]
  resources: [events]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Whether pods are deleted because their namespace is.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- if not .Values.watchNamespaces }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- end }}
