{{/* Command lines. */}}

{{/* One flag's value. YAML's numbers are floats here, which would become 1e+06. */}}
{{- define "cao.flagValue" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* A map of flags as arguments, sorted by name. */}}
{{- define "cao.flags" -}}
{{- range $name, $value := . }}
{{- if kindIs "slice" $value }}
{{- range $value }}
- {{ printf "--%s=%s" $name (include "cao.flagValue" .) | quote }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
- {{ printf "--%s=%s" $name (include "cao.flagValue" $value) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What says where OpenStack is and which stacks are node groups. */}}
{{- define "cao.cloudArgs" -}}
{{- if include "cao.usesCloudsYaml" . }}
- {{ printf "--openstack-cloud=%s" .Values.openstack.cloud | quote }}
{{- else }}
- {{ printf "--cloud-config=/etc/openstack/%s" (include "cao.credentialsKey" .) | quote }}
{{- end }}
{{- include "cao.groupArgs" . }}
{{- end -}}

{{- define "cao.groupArgs" -}}
{{- with .Values.nodeGroups.tags }}
{{- $terms := list }}
{{- range . }}
{{- $terms = append $terms (printf "tag=%s" .) }}
{{- end }}
- {{ printf "--node-group-auto-discovery=heat:%s" (join "," $terms) | quote }}
{{- end }}
{{- range .Values.nodeGroups.named }}
- {{ printf "--nodes=%d:%d:%s" (int .min) (int .max) .stack | quote }}
{{- end }}
{{- end -}}

{{- define "cao.featureArgs" -}}
{{- with .Values.features }}
- --bootstrap-tokens={{ .bootstrapTokens }}
- --approve-node-certificates={{ .approveNodeCertificates }}
- --approve-serving-certificates={{ .approveServingCertificates }}
- --delete-nodes-of-gone-servers={{ .deleteNodesOfGoneServers }}
{{- end }}
{{- with .Values.repair }}
- --auto-repair={{ .enabled }}
{{- if .enabled }}
- --auto-repair-after={{ .after }}
- --auto-repairs-per-hour={{ .perHour }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What load is read from and what it is for, prices, and who may look. */}}
{{- define "cao.loadArgs" -}}
{{- with .Values.load }}
- --load-signals={{ .enabled }}
{{- if .enabled }}
- --load-source={{ .source }}
{{- with .prometheus.url }}
- {{ printf "--prometheus-url=%s" . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if include "cao.loadConfigMap" . }}
- --load-config=/etc/load/load.yaml
{{- end }}
{{- if include "cao.prometheusSecret" . }}
- --prometheus-config=/etc/prometheus/prometheus.yaml
{{- end }}
{{- if include "cao.pricesConfigMap" . }}
- --price-file=/etc/prices/prices.yaml
{{- end }}
{{- with .Values.externalMetrics }}
{{- if .enabled }}
- --external-metrics-address=:{{ .port }}
{{- if ne .tls.source "none" }}
- --external-metrics-cert=/etc/external-metrics/tls.crt
- --external-metrics-key=/etc/external-metrics/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.status }}
{{- if .enabled }}
- --status-address={{ ternary "127.0.0.1" "" (eq .listen "loopback") }}:{{ .port }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of the only container in mode embedded. What both sides say is said once. */}}
{{- define "cao.embeddedArgs" -}}
- --namespace={{ .Release.Namespace }}
{{- include "cao.cloudArgs" . }}
{{- include "cao.featureArgs" . }}
{{- include "cao.loadArgs" . }}
{{- $flags := dict }}
{{- range $name, $value := .Values.provider.extraArgs }}{{ $_ := set $flags $name $value }}{{ end }}
{{- range $name, $value := .Values.autoscaler.extraArgs }}{{ $_ := set $flags $name $value }}{{ end }}
{{- include "cao.flags" $flags }}
{{- end -}}

{{/* Of the stock cluster-autoscaler. */}}
{{- define "cao.stockArgs" -}}
- --cloud-provider=externalgrpc
- --cloud-config=/etc/externalgrpc/cloud-config.yaml
- --namespace={{ .Release.Namespace }}
{{- $flags := .Values.autoscaler.extraArgs }}
{{- /* 1.25 does not have it (kubernetes/autoscaler#5195) and ends at once if it is given. */}}
{{- if regexMatch "^v?1\\.25\\b" (include "cao.stockTag" .) }}
{{- $flags = omit $flags "enforce-node-group-min-size" }}
{{- end }}
{{- include "cao.flags" $flags }}
{{- end -}}

{{/* Of the gRPC server. */}}
{{- define "cao.serverArgs" -}}
- --namespace={{ .Release.Namespace }}
- --address=:8087
{{- if include "cao.isNetwork" . }}
- --grpc-address=:{{ .Values.grpc.port }}
- --grpc-cert=/etc/grpc/tls.crt
- --grpc-key=/etc/grpc/tls.key
- --grpc-client-ca=/etc/grpc/ca.crt
{{- else }}
- --grpc-address=127.0.0.1:{{ .Values.grpc.port }}
{{- end }}
{{- include "cao.cloudArgs" . }}
{{- include "cao.featureArgs" . }}
{{- include "cao.loadArgs" . }}
{{- $flags := pick .Values.autoscaler.extraArgs "scan-interval" "max-node-provision-time" }}
{{- range $name, $value := .Values.provider.extraArgs }}{{ $_ := set $flags $name $value }}{{ end }}
{{- include "cao.flags" $flags }}
{{- end -}}
