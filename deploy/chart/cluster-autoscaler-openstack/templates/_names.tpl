{{/* Names and labels. */}}

{{- define "cao.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Some objects have 13 more letters, and Kubernetes allows 63. */}}
{{- define "cao.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "cao.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "cao.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "cao.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cao.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: autoscaler
{{- end -}}

{{- define "cao.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cao.labels" -}}
{{ include "cao.selectorLabels" . }}
{{ include "cao.commonLabels" . }}
{{- end -}}

{{- define "cao.serviceAccountName" -}}
{{- default (include "cao.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Secret with the credentials for OpenStack, and its key. */}}
{{- define "cao.credentialsSecret" -}}
{{- default (include "cao.fullname" .) .Values.openstack.existingSecret -}}
{{- end -}}

{{- define "cao.credentialsKey" -}}
{{- if .Values.openstack.existingSecret -}}
{{- .Values.openstack.existingSecretKey -}}
{{- else if .Values.openstack.cloudsYaml -}}
clouds.yaml
{{- else -}}
cloud.conf
{{- end -}}
{{- end -}}

{{/* Not empty where the credentials are in a clouds.yaml. */}}
{{- define "cao.usesCloudsYaml" -}}
{{- if regexMatch "\\.ya?ml$" (include "cao.credentialsKey" .) }}yes{{ end -}}
{{- end -}}

{{/* ConfigMap with authorities that are trusted besides the well-known ones; empty for none. */}}
{{- define "cao.caConfigMap" -}}
{{- if .Values.openstack.existingCAConfigMap -}}
{{- .Values.openstack.existingCAConfigMap -}}
{{- else if .Values.openstack.caBundle -}}
{{- include "cao.fullname" . }}-ca
{{- end -}}
{{- end -}}

{{/* Not empty in mode external. */}}
{{- define "cao.isExternal" -}}
{{- if eq .Values.mode "external" }}yes{{ end -}}
{{- end -}}

{{/* Not empty where the gRPC server listens on the network. */}}
{{- define "cao.isNetwork" -}}
{{- if and (eq .Values.mode "external") (eq .Values.grpc.listen "network") }}yes{{ end -}}
{{- end -}}

{{/* Not empty where there is a stock cluster-autoscaler in the pod. */}}
{{- define "cao.hasStock" -}}
{{- if and (eq .Values.mode "external") .Values.autoscaler.enabled }}yes{{ end -}}
{{- end -}}

{{/* Secret with the gRPC server's certificate. */}}
{{- define "cao.grpcSecret" -}}
{{- default (printf "%s-grpc" (include "cao.fullname" .)) .Values.grpc.tls.existingSecret -}}
{{- end -}}

{{/* Files of the provider that are in ConfigMaps and Secrets; empty for none. */}}
{{- define "cao.loadConfigMap" -}}
{{- if .Values.load.existingConfigMap -}}
{{- .Values.load.existingConfigMap -}}
{{- else if .Values.load.config -}}
{{- include "cao.fullname" . }}-load
{{- end -}}
{{- end -}}

{{- define "cao.pricesConfigMap" -}}
{{- if .Values.prices.existingConfigMap -}}
{{- .Values.prices.existingConfigMap -}}
{{- else if .Values.prices.config -}}
{{- include "cao.fullname" . }}-prices
{{- end -}}
{{- end -}}

{{- define "cao.prometheusSecret" -}}
{{- if .Values.load.prometheus.existingSecret -}}
{{- .Values.load.prometheus.existingSecret -}}
{{- else if .Values.load.prometheus.config -}}
{{- include "cao.fullname" . }}-prometheus
{{- end -}}
{{- end -}}

{{/* Service and Secret of external metrics. The names of Services have 63 letters at most. */}}
{{- define "cao.metricsName" -}}
{{- printf "%s-external-metrics" (include "cao.fullname" . | trunc 46 | trimSuffix "-") -}}
{{- end -}}

{{- define "cao.metricsSecret" -}}
{{- default (include "cao.metricsName" .) .Values.externalMetrics.tls.existingSecret -}}
{{- end -}}

{{/* Not empty where external metrics have a certificate that is in a Secret. */}}
{{- define "cao.metricsCertificate" -}}
{{- if and .Values.externalMetrics.enabled (ne .Values.externalMetrics.tls.source "none") }}yes{{ end -}}
{{- end -}}
