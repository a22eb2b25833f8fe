{{/* Refuses values of the parts that can be switched on and off; see _check.tpl. */}}
{{- define "cao.check.features" -}}
{{- with .Values.features -}}
{{- if and .approveNodeCertificates (not .bootstrapTokens) -}}
{{- fail "features.bootstrapTokens=false leaves nothing for features.approveNodeCertificates=true, which decides the requests of machines with minted tokens: set both to false, or both to true" -}}
{{- end -}}
{{- if and .kubeadmJoin (not .bootstrapTokens) -}}
{{- fail "features.kubeadmJoin=true is for holders of minted tokens, and features.bootstrapTokens=false makes none: set one of them to the other" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.load" -}}
{{- with .Values.load -}}
{{- if and .config .existingConfigMap -}}
{{- fail "load.config and load.existingConfigMap are both given: leave one" -}}
{{- end -}}
{{- if and .prometheus.config .prometheus.existingSecret -}}
{{- fail "load.prometheus.config and load.prometheus.existingSecret are both given: leave one" -}}
{{- end -}}
{{- if and (not .enabled) (or .config .existingConfigMap .prometheus.url) -}}
{{- fail "load.enabled=false reads no load, but load.config, load.existingConfigMap or load.prometheus.url is given: leave them out, or set load.enabled=true" -}}
{{- end -}}
{{- if and (eq .source "prometheus") (not .prometheus.url) -}}
{{- fail "load.source=prometheus needs load.prometheus.url, an address or aetos" -}}
{{- end -}}
{{- if and (or .prometheus.config .prometheus.existingSecret) (has .prometheus.url (list "" "aetos")) -}}
{{- fail (printf "load.prometheus.config and load.prometheus.existingSecret are for a Prometheus of your own, but load.prometheus.url=%s: give its address, or leave them out" .prometheus.url) -}}
{{- end -}}
{{- end -}}
{{- with .Values.prices -}}
{{- if and .config .existingConfigMap -}}
{{- fail "prices.config and prices.existingConfigMap are both given: leave one" -}}
{{- end -}}
{{- end -}}
{{- if .Values.autoscaler.enabled -}}
{{- $expander := toString (index .Values.autoscaler.extraArgs "expander") -}}
{{- $byPrice := has "price" (splitList "," $expander) -}}
{{- if and $byPrice (not (include "cao.pricesConfigMap" .)) -}}
{{- fail (printf "autoscaler.extraArgs.expander=%s needs prices: set prices.config or prices.existingConfigMap" $expander) -}}
{{- end -}}
{{- if and (not $byPrice) (include "cao.pricesConfigMap" .) -}}
{{- fail (printf "prices are given, but autoscaler.extraArgs.expander=%s does not look at them: set it to price or price,least-waste, or leave prices out" $expander) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.externalMetrics" -}}
{{- with .Values.externalMetrics.tls -}}
{{- if and (eq .source "existing") (not (and .existingSecret (contains "-----BEGIN CERTIFICATE-----" .caBundle))) -}}
{{- fail "externalMetrics.tls.source=existing needs externalMetrics.tls.existingSecret, and in externalMetrics.tls.caBundle its authority in PEM form (helm: --set-file externalMetrics.tls.caBundle=ca.crt)" -}}
{{- end -}}
{{- if and (ne .source "existing") (or .existingSecret .caBundle) -}}
{{- fail (printf "externalMetrics.tls.existingSecret or caBundle is given, but externalMetrics.tls.source=%s: set it to existing" .source) -}}
{{- end -}}
{{- if and (eq .source "certManager") (not .issuerRef.name) -}}
{{- fail "externalMetrics.tls.source=certManager needs externalMetrics.tls.issuerRef.name, of an issuer whose certificates name their CA (kind CA or Vault)" -}}
{{- end -}}
{{- end -}}
{{- if not .Values.load.enabled -}}
{{- fail "externalMetrics.enabled=true has nothing to serve with load.enabled=false: set one of them to the other" -}}
{{- end -}}
{{- end -}}

{{/* One port for one thing. */}}
{{- define "cao.check.ports" -}}
{{- if .Values.externalMetrics.enabled -}}
{{- include "cao.check.externalMetrics" . -}}
{{- end -}}
{{- $taken := dict -}}
{{- if .Values.autoscaler.enabled }}{{ $_ := set $taken "8085" "cluster-autoscaler's metrics" }}{{ end -}}
{{- $wanted := list -}}
{{- if include "cao.isExternal" . -}}
{{- $_ := set $taken "8087" "the provider's metrics" -}}
{{- $wanted = append $wanted (list "grpc.port" .Values.grpc.port) -}}
{{- end -}}
{{- if .Values.externalMetrics.enabled }}{{ $wanted = append $wanted (list "externalMetrics.port" .Values.externalMetrics.port) }}{{ end -}}
{{- if .Values.status.enabled }}{{ $wanted = append $wanted (list "status.port" .Values.status.port) }}{{ end -}}
{{- range $wanted -}}
{{- $name := first . -}}
{{- $port := last . | int | toString -}}
{{- with get $taken $port -}}
{{- fail (printf "%s=%s is the port of %s: choose another" $name $port .) -}}
{{- end -}}
{{- $_ := set $taken $port $name -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled .Values.status.enabled (eq .Values.status.listen "network") (not .Values.networkPolicy.statusFrom) -}}
{{- fail "networkPolicy.enabled=true with status.listen=network would let everybody read the status page, which has no login: set networkPolicy.statusFrom" -}}
{{- end -}}
{{- end -}}
