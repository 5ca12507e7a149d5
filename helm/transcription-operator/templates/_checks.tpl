{{- /* Mistakes that no schema can see: the operator would refuse them only when it starts. */ -}}
{{- define "transcription-operator.checks" -}}
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
