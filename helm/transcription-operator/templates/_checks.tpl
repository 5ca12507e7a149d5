{{- /* Mistakes that no schema can see: the operator would refuse them only when it starts. */ -}}
{{- define "transcription-operator.checks" -}}
{{- $unnamed := list }}
{{- range $name, $image := dict "operator" .Values.operator.image "transcriber" .Values.transcriber.image }}
{{- if not $image.repository }}{{ $unnamed = append $unnamed (printf "%s.image.repository" $name) }}{{ end }}
{{- end }}
{{- if $unnamed }}
{{- fail (printf "%s must be set: no public registry has the images. Build them from Dockerfile.operator and Dockerfile.transcriber, push them to your registry (README.md, Install) and name them, such as --set operator.image.repository=registry.example.com/transcription-operator/operator" (join " and " $unnamed)) }}
{{- end }}
{{- if and .Values.watchNamespaces .Values.watchNamespaceSelector }}
{{- fail "watchNamespaces and watchNamespaceSelector exclude each other: a list gets a Role in each namespace, a selector a ClusterRole" }}
{{- end }}
{{- $pools := include "transcription-operator.pools" . | fromJsonArray }}
{{- $known := join ", " $pools }}
{{- if not (has .Values.defaultNodePool $pools) }}
{{- fail (printf "defaultNodePool is %s, but nodePools has: %s" .Values.defaultNodePool $known) }}
{{- end }}
{{- range $model, $pool := .Values.poolByModel }}
{{- if and $pool (not (has $pool $pools)) }}
{{- fail (printf "poolByModel sends %s to %s, but nodePools has: %s" $model $pool $known) }}
{{- end }}
{{- end }}
{{- end }}
