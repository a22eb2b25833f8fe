{{/* Refuses values that do not go together: what is wrong, and what to do. */}}
{{- define "cao.check" -}}
{{- include "cao.check.mode" . -}}
{{- include "cao.check.credentials" . -}}
{{- include "cao.check.groups" . -}}
{{- include "cao.check.flags" . -}}
{{- include "cao.check.grpc" . -}}
{{- include "cao.check.monitoring" . -}}
{{- include "cao.check.features" . -}}
{{- include "cao.check.load" . -}}
{{- include "cao.check.ports" . -}}
{{- end -}}

{{- define "cao.check.mode" -}}
{{- if and (eq .Values.mode "embedded") (not .Values.autoscaler.enabled) -}}
{{- fail "autoscaler.enabled=false leaves nothing in mode embedded: set mode=external, or autoscaler.enabled=true" -}}
{{- end -}}
{{- if and (eq .Values.mode "external") .Values.hostNetwork -}}
{{- fail "hostNetwork=true in mode external would let every process on the node order nodes, since the gRPC server trusts its loopback interface: set hostNetwork=false, or mode=embedded" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled .Values.hostNetwork -}}
{{- fail "networkPolicy.enabled=true does nothing for pods with hostNetwork=true: set one of them to false" -}}
{{- end -}}
{{- if and (not .Values.rbac.create) (or .Values.rbac.extraRules .Values.rbac.extraClusterRules) -}}
{{- fail "rbac.extraRules and rbac.extraClusterRules need rbac.create=true" -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create=false needs serviceAccount.name, that of the account that is there already" -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.credentials" -}}
{{- with .Values.openstack -}}
{{- $given := list -}}
{{- if .existingSecret }}{{ $given = append $given "openstack.existingSecret" }}{{ end -}}
{{- if .cloudConf }}{{ $given = append $given "openstack.cloudConf" }}{{ end -}}
{{- if .cloudsYaml }}{{ $given = append $given "openstack.cloudsYaml" }}{{ end -}}
{{- $ac := .applicationCredential -}}
{{- if or $ac.id $ac.secret $ac.authURL }}{{ $given = append $given "openstack.applicationCredential" }}{{ end -}}
{{- if eq (len $given) 0 -}}
{{- fail "no credentials for OpenStack: set openstack.existingSecret, openstack.cloudConf, openstack.cloudsYaml or openstack.applicationCredential (helm: --set-file openstack.cloudConf=cloud.conf)" -}}
{{- end -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "credentials for OpenStack are given more than once, by %s: leave one" (join " and " $given)) -}}
{{- end -}}
{{- if and (eq (first $given) "openstack.applicationCredential") (not (and $ac.id $ac.secret $ac.authURL)) -}}
{{- fail "openstack.applicationCredential needs authURL, id and secret, all three" -}}
{{- end -}}
{{- if and .caBundle .existingCAConfigMap -}}
{{- fail "openstack.caBundle and openstack.existingCAConfigMap are both given: leave one" -}}
{{- end -}}
{{- if and .caBundle (not (contains "-----BEGIN CERTIFICATE-----" .caBundle)) -}}
{{- fail "openstack.caBundle holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): helm reads a file by --set-file openstack.caBundle=ca.crt" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.groups" -}}
{{- if not (or .Values.nodeGroups.tags .Values.nodeGroups.named) -}}
{{- fail "no node groups: set nodeGroups.tags to the tags that their stacks carry, such as {cluster-autoscaler-enabled,cluster=prod}, or nodeGroups.named" -}}
{{- end -}}
{{- range .Values.nodeGroups.named -}}
{{- if gt (int .min) (int .max) -}}
{{- fail (printf "nodeGroups.named: %s has min %d above max %d" .stack (int .min) (int .max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.flags" -}}
{{- $own := dict "cloud-provider" "mode" "cloud-config" "openstack" "openstack-cloud" "openstack.cloud" "namespace" "the release's namespace" "address" "no value: the ports are fixed" "kubeconfig" "the service account" "node-group-auto-discovery" "nodeGroups.tags" "nodes" "nodeGroups.named" "approve-node-certificates" "features.approveNodeCertificates" "approve-serving-certificates" "features.approveServingCertificates" "delete-nodes-of-gone-servers" "features.deleteNodesOfGoneServers" "bootstrap-tokens" "features.bootstrapTokens" "auto-repair" "repair.enabled" "auto-repair-after" "repair.after" "auto-repairs-per-hour" "repair.perHour" "load-signals" "load.enabled" "load-config" "load.config" "load-source" "load.source" "prometheus-url" "load.prometheus.url" "prometheus-config" "load.prometheus.config" "price-file" "prices.config" "external-metrics-address" "externalMetrics" "external-metrics-cert" "externalMetrics.tls" "external-metrics-key" "externalMetrics.tls" "status-address" "status" "grpc-address" "grpc.listen and grpc.port" "grpc-cert" "grpc.tls" "grpc-key" "grpc.tls" "grpc-client-ca" "grpc.tls" "leader-elect-resource-name" "no value: the permission is for the lease cluster-autoscaler" "status-config-map-name" "no value: the permission is for the ConfigMap cluster-autoscaler-status" -}}
{{- range $side := list "autoscaler" "provider" -}}
{{- range $flag, $value := (get $.Values $side).extraArgs -}}
{{- if hasPrefix "-" $flag -}}
{{- fail (printf "%s.extraArgs.%s: write flags without dashes" $side $flag) -}}
{{- end -}}
{{- if hasKey $own $flag -}}
{{- fail (printf "%s.extraArgs.%s: the chart sets --%s itself, from %s" $side $flag $flag (get $own $flag)) -}}
{{- end -}}
{{- if and (eq $side "autoscaler") (eq $.Values.mode "external") (regexMatch "^(openstack|bootstrap|prometheus|telemetry|grpc)-" $flag) -}}
{{- fail (printf "autoscaler.extraArgs.%s: a stock cluster-autoscaler has no flag --%s; it is the provider's: provider.extraArgs.%s" $flag $flag $flag) -}}
{{- end -}}
{{- if and (eq $.Values.mode "external") (eq $flag "dry-run") -}}
{{- fail "dry-run is not possible in mode external, since the stock cluster-autoscaler would drain nodes all the same: set mode=embedded" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (eq (toString (index .Values.autoscaler.extraArgs "leader-elect")) "false") -}}
{{- fail (printf "autoscaler.extraArgs.leader-elect=false with replicas=%d would let them all order nodes: set replicas=1, or leave the election on" (int .Values.replicas)) -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.grpc" -}}
{{- if eq .Values.mode "external" -}}
{{- if and (eq .Values.grpc.listen "network") .Values.autoscaler.enabled -}}
{{- fail "grpc.listen=network is for a cluster-autoscaler elsewhere, and two of them would order the same nodes: set autoscaler.enabled=false, or grpc.listen=loopback" -}}
{{- end -}}
{{- if and (eq .Values.grpc.listen "loopback") (not .Values.autoscaler.enabled) -}}
{{- fail "autoscaler.enabled=false and grpc.listen=loopback: nobody could ask the server. Set grpc.listen=network" -}}
{{- end -}}
{{- end -}}
{{- if include "cao.isNetwork" . -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- fail (printf "replicas=%d with grpc.listen=network: servers that are asked in turn would order nodes twice. Set replicas=1" (int .Values.replicas)) -}}
{{- end -}}
{{- with .Values.grpc.tls -}}
{{- if and (eq .source "existing") (not .existingSecret) -}}
{{- fail "grpc.tls.source=existing needs grpc.tls.existingSecret" -}}
{{- end -}}
{{- if and (ne .source "existing") .existingSecret -}}
{{- fail (printf "grpc.tls.existingSecret is given, but grpc.tls.source=%s: set it to existing" .source) -}}
{{- end -}}
{{- if and (eq .source "certManager") (not .issuerRef.name) -}}
{{- fail "grpc.tls.source=certManager needs grpc.tls.issuerRef.name, of an issuer whose certificates name their CA (kind CA or Vault)" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.grpcFrom) -}}
{{- fail "networkPolicy.enabled=true with grpc.listen=network would shut out the cluster-autoscaler: set networkPolicy.grpcFrom" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cao.check.monitoring" -}}
{{- with .Values.monitoring -}}
{{- if and .podMonitor.enabled .serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled would count everything twice: leave one" -}}
{{- end -}}
{{- end -}}
{{- end -}}
