{{- define "transcription-operator.labels" -}}
app.kubernetes.io/name: transcription-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "transcription-operator.selector" -}}
app.kubernetes.io/name: transcription-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The image reference of .image, with the chart's version where no tag is given. */ -}}
{{- define "transcription-operator.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end -}}
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
- apiGroups: [""]
  resources: [events]
  verbs: [create, list, watch]
{{- if not .Values.watchNamespaces }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- end }}
