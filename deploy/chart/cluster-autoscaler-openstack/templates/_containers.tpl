{{/* Containers and their surroundings. */}}

{{/* Environment of a container: a dict of root, cloud (it signs in to OpenStack) and extra. */}}
{{- define "cao.env" -}}
{{- $root := .root -}}
{{- with $root.Values.proxy }}
{{- if or .http .https }}
{{- $none := concat (list "127.0.0.1" "localhost" ".svc" ".cluster.local" "$(KUBERNETES_SERVICE_HOST)") .noProxy }}
{{- with .http }}
- {name: HTTP_PROXY, value: {{ . | quote }}}
{{- end }}
{{- with .https }}
- {name: HTTPS_PROXY, value: {{ . | quote }}}
{{- end }}
- {name: NO_PROXY, value: {{ join "," $none | quote }}}
{{- end }}
{{- end }}
{{- if include "cao.caConfigMap" $root }}
# Besides the file of the image: Go reads all folders of this list.
- {name: SSL_CERT_DIR, value: "/etc/ssl/certs:/etc/openstack-ca"}
{{- end }}
{{- if .cloud }}
{{- if include "cao.usesCloudsYaml" $root }}
- {name: OS_CLIENT_CONFIG_FILE, value: {{ printf "/etc/openstack/%s" (include "cao.credentialsKey" $root) | quote }}}
{{- end }}
{{- end }}
{{- with .extra }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cao.healthProbe" -}}
httpGet: {path: /health-check, port: {{ . }}}
initialDelaySeconds: 30
periodSeconds: 30
timeoutSeconds: 5
{{- end -}}

{{/* Ready: signed in and the node groups read, or standing by. An installation that waits for it waits for that. */}}
{{- define "cao.readyProbe" -}}
httpGet: {path: /readyz, port: {{ . }}}
periodSeconds: 5
timeoutSeconds: 5
{{- end -}}

{{- define "cao.caMount" -}}
{{- if include "cao.caConfigMap" . }}
- {name: ca, mountPath: /etc/openstack-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* Mounts of the provider's container. */}}
{{- define "cao.cloudMounts" -}}
- {name: openstack, mountPath: /etc/openstack, readOnly: true}
{{- include "cao.caMount" . }}
{{- if include "cao.loadConfigMap" . }}
- {name: load, mountPath: /etc/load, readOnly: true}
{{- end }}
{{- if include "cao.pricesConfigMap" . }}
- {name: prices, mountPath: /etc/prices, readOnly: true}
{{- end }}
{{- if include "cao.prometheusSecret" . }}
- {name: prometheus, mountPath: /etc/prometheus, readOnly: true}
{{- end }}
{{- if include "cao.metricsCertificate" . }}
- {name: external-metrics, mountPath: /etc/external-metrics, readOnly: true}
{{- end }}
{{- with .Values.provider.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Ports of the provider's container besides that of its metrics. */}}
{{- define "cao.providerPorts" -}}
{{- if .Values.externalMetrics.enabled }}
- {name: external-metric, containerPort: {{ .Values.externalMetrics.port }}}
{{- end }}
{{- if .Values.status.enabled }}
- {name: status, containerPort: {{ .Values.status.port }}}
{{- end }}
{{- end -}}

{{- define "cao.embeddedContainer" -}}
- name: cluster-autoscaler-openstack
  image: {{ include "cao.providerImage" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
  {{- include "cao.embeddedArgs" . | nindent 2 }}
  ports:
  - {name: metrics, containerPort: 8085}
  {{- with include "cao.providerPorts" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "cao.env" (dict "root" . "cloud" true "extra" (concat .Values.autoscaler.extraEnv .Values.provider.extraEnv)) | trim }}
  env:
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.provider.extraEnvFrom }}
  envFrom:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  livenessProbe:
    {{- include "cao.healthProbe" "metrics" | nindent 4 }}
  readinessProbe:
    {{- include "cao.readyProbe" "metrics" | nindent 4 }}
  resources:
    {{- toYaml .Values.autoscaler.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
  {{- include "cao.cloudMounts" . | nindent 2 }}
{{- end -}}

{{- define "cao.stockContainer" -}}
- name: cluster-autoscaler
  image: {{ include "cao.stockImage" . | quote }}
  imagePullPolicy: {{ .Values.autoscaler.image.pullPolicy }}
  command: [./cluster-autoscaler]
  args:
  {{- include "cao.stockArgs" . | nindent 2 }}
  ports:
  - {name: metrics, containerPort: 8085}
  {{- with include "cao.env" (dict "root" . "cloud" false "extra" .Values.autoscaler.extraEnv) | trim }}
  env:
  {{- . | nindent 2 }}
  {{- end }}
  livenessProbe:
    {{- include "cao.healthProbe" "metrics" | nindent 4 }}
  resources:
    {{- toYaml .Values.autoscaler.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
  - {name: externalgrpc, mountPath: /etc/externalgrpc, readOnly: true}
  {{- with include "cao.caMount" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "cao.serverContainer" -}}
- name: node-groups
  image: {{ include "cao.providerImage" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [/cluster-autoscaler-openstack-grpc]
  args:
  {{- include "cao.serverArgs" . | nindent 2 }}
  ports:
  - {name: provider, containerPort: 8087}
  {{- if include "cao.isNetwork" . }}
  - {name: grpc, containerPort: {{ .Values.grpc.port }}}
  {{- end }}
  {{- with include "cao.providerPorts" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "cao.env" (dict "root" . "cloud" true "extra" .Values.provider.extraEnv) | trim }}
  env:
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.provider.extraEnvFrom }}
  envFrom:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  livenessProbe:
    {{- include "cao.healthProbe" "provider" | nindent 4 }}
  readinessProbe:
    {{- include "cao.readyProbe" "provider" | nindent 4 }}
  resources:
    {{- toYaml .Values.provider.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
  {{- include "cao.cloudMounts" . | nindent 2 }}
  {{- if include "cao.isNetwork" . }}
  - {name: grpc, mountPath: /etc/grpc, readOnly: true}
  {{- end }}
{{- end -}}

{{- define "cao.volumes" -}}
{{- include "cao.providerVolumes" . }}
{{- if include "cao.hasStock" . }}
- name: externalgrpc
  configMap: {name: {{ include "cao.fullname" . }}-externalgrpc}
{{- end }}
{{- if include "cao.isNetwork" . }}
- name: grpc
  secret: {secretName: {{ include "cao.grpcSecret" . | quote }}}
{{- end }}
{{- end -}}

{{/* Volumes of cao.cloudMounts. */}}
{{- define "cao.providerVolumes" -}}
- name: openstack
  secret: {secretName: {{ include "cao.credentialsSecret" . | quote }}}
{{- with include "cao.caConfigMap" . }}
- name: ca
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- with include "cao.loadConfigMap" . }}
- name: load
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- with include "cao.pricesConfigMap" . }}
- name: prices
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- with include "cao.prometheusSecret" . }}
- name: prometheus
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- if include "cao.metricsCertificate" . }}
- name: external-metrics
  secret: {secretName: {{ include "cao.metricsSecret" . | quote }}}
{{- end }}
{{- with .Values.provider.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Sums of files of the chart, which give new pods when they change. Some are read once. Those of load and prices would be read again, but
new pods tell "helm upgrade --wait" if one is wrong, and leave the old ones running. Credentials are read again when they change; authorities
that all of a program trusts are not (Go's crypto/x509 reads SSL_CERT_DIR once).
*/}}
{{- define "cao.checksums" -}}
{{- if include "cao.hasStock" . }}
checksum/externalgrpc: {{ include "cao.stockConfig" . | sha256sum }}
{{- end }}
{{- with .Values.openstack.caBundle }}
checksum/ca: {{ . | sha256sum }}
{{- end }}
{{- with .Values.load.config }}
checksum/load: {{ toYaml . | sha256sum }}
{{- end }}
{{- with .Values.load.prometheus.config }}
checksum/prometheus: {{ toYaml . | sha256sum }}
{{- end }}
{{- with .Values.prices.config }}
checksum/prices: {{ toYaml . | sha256sum }}
{{- end }}
{{- end -}}
