// Package machine plays a virtual machine that becomes a Kubernetes node.
//
// It does what the image of a node does at boot, in this order:
//
//  1. cloud-init's part: the server's user_data is read as a cloud-config, its few jinja variables are filled in and the
//     files it asks for are written below the machine's own root directory;
//  2. systemd's part: the kubelet's command line is put together as the kubelet package's service unit does it, from
//     the standard files (/etc/kubernetes/bootstrap-kubelet.conf, /var/lib/kubelet/config.yaml, /etc/default/kubelet);
//  3. the kubelet: real kubelet code parses that command line, joins the cluster by TLS bootstrap (token, certificate
//     signing request, approval, client certificate), registers the Node and runs pods.
//
// Only the hardware and the containers are played: cAdvisor reports the flavor's size, and the container runtime is
// Kubernetes' own fake CRI, in which every image "runs". A machine is one process, because killing the process is then
// as final as deleting the server.
package machine
