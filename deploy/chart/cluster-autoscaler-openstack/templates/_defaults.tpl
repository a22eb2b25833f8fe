{{/*
Puts in values that are missing: "helm upgrade --reuse-values" brings those of the chart that was installed before, which did not know all
of ours. What is there is left as it is, so that a map of flags, labels or rules has no more in it than it was given.
*/}}
{{- define "cao.defaults" -}}
{{- $values := .Values -}}
{{- range $path, $default := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- $names := splitList "." $path -}}
{{- $at := $values -}}
{{- range initial $names -}}
{{- if not (kindIs "map" (get $at .)) -}}
{{- $_ := set $at . dict -}}
{{- end -}}
{{- $at = get $at . -}}
{{- end -}}
{{- if not (hasKey $at (last $names)) -}}
{{- $_ := set $at (last $names) $default -}}
{{- end -}}
{{- end -}}
{{- end -}}
