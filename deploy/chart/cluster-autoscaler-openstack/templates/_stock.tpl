{{/* The stock cluster-autoscaler's cloud-config. */}}
{{- define "cao.stockConfig" -}}
address: 127.0.0.1:{{ .Values.grpc.port }}
{{ end -}}
