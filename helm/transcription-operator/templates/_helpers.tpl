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
  verbs: [get, list, watch]
- apiGroups: [transcription.dev]
  resources: [transcriptionjobs/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}
