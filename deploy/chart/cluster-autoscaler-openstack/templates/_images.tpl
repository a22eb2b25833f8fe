{{/* Images. */}}

{{- define "cao.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}

{{- define "cao.providerImage" -}}
{{- with .Values.image -}}
{{- include "cao.image" (dict "repository" .repository "digest" .digest "tag" (default $.Chart.AppVersion .tag)) -}}
{{- end -}}
{{- end -}}

{{/* The cluster's minor version. Some clusters call it "33+". */}}
{{- define "cao.minor" -}}
{{- regexFind "^[0-9]+" (toString .Capabilities.KubeVersion.Minor) -}}
{{- end -}}

{{/* The tag of the stock image: that of the cluster's minor version, else the newest one below it. */}}
{{- define "cao.stockTag" -}}
{{- if .Values.autoscaler.image.tag -}}
{{- .Values.autoscaler.image.tag -}}
{{- else -}}
{{- $wanted := include "cao.minor" . | int -}}
{{- $best := 0 -}}
{{- $tag := "" -}}
{{- range $version, $published := .Values.autoscaler.versions -}}
{{- $minor := regexFind "[0-9]+$" $version | int -}}
{{- if and (le $minor $wanted) (gt $minor $best) $published -}}
{{- $best = $minor -}}
{{- $tag = $published -}}
{{- end -}}
{{- end -}}
{{- if not $tag -}}
{{- fail (printf "autoscaler.versions has no image for Kubernetes 1.%d: set autoscaler.image.tag" $wanted) -}}
{{- end -}}
{{- $tag -}}
{{- end -}}
{{- end -}}

{{- define "cao.stockImage" -}}
{{- with .Values.autoscaler.image -}}
{{- $tag := "" -}}
{{- if not .digest -}}
{{- $tag = include "cao.stockTag" $ -}}
{{- end -}}
{{- include "cao.image" (dict "repository" .repository "digest" .digest "tag" $tag) -}}
{{- end -}}
{{- end -}}
