# shellcheck shell=bash
# The image of a node, as an image builder would make it: Debian with cloud-init, containerd and the kubelet's service. It is
# made once and kept, as a tree of files (for nodes in namespaces) and as a disk (for virtual machines), with the kernel.
# The kubelet's program is not in it: it comes on a disk of its own, so that a new one does not need a new image.

IMAGE_PACKAGES=(
  systemd systemd-sysv systemd-resolved udev dbus kmod iproute2 iptables netbase ca-certificates
  cloud-init containerd runc containernetworking-plugins conntrack socat ethtool
)
DISK_SIZE=3G

# image_key names what an image is made of: these scripts and files, and the versions of the packages.
image_key() {
  {
    cat "$VM_SCRIPTS/lib/image.sh"
    (cd "$VM_SCRIPTS/image" && find . -type f -print0 | sort --zero-terminated | xargs --null sha256sum)
    apt-cache --no-all-versions show user-mode-linux "${IMAGE_PACKAGES[@]}" | grep --extended-regexp '^(Package|Version):'
  } | sha256sum | cut --characters=1-16
}

# build_image sets IMAGE to the folder of the image, which it makes if it is not there. The folder is locked until this
# process ends, so that no other run removes it.
build_image() {
  mkdir -p "$VM_CACHE"
  exec 8>"$VM_CACHE/lock"
  flock --wait 900 --exclusive 8 || fail "another run has been building an image in $VM_CACHE for 15 minutes"
  IMAGE=$VM_CACHE/$(image_key)
  if [[ ! -e $IMAGE/complete ]]; then
    # What apt knows may be old: packages are gone from the mirror then.
    apt-get --quiet update >>"$LOG/image.log" 2>&1 || say "apt-get update complains, see log/image.log"
    IMAGE=$VM_CACHE/$(image_key)
  fi
  if [[ ! -e $IMAGE/complete ]]; then
    # Images that are no longer made so, unless a run still uses one.
    remove_old_images
    say "building the image of a node (about 130 MB to fetch, 1.3 GB on disk; log/image.log)"
    rm -rf "$IMAGE"
    mkdir -p "$IMAGE"
    { unpack_kernel && make_tree && make_disk; } >>"$LOG/image.log" 2>&1 ||
      fail "the image could not be made: $(tail -n 3 "$LOG/image.log"); see $LOG/image.log"
    touch "$IMAGE/complete"
  fi
  exec 7<"$IMAGE/complete"
  flock --shared 7
  exec 8>&-
}

remove_old_images() {
  local old
  for old in "$VM_CACHE"/*/; do
    [[ -d $old ]] || continue
    if [[ -e $old/complete ]] && ! flock --nonblock --exclusive "$old/complete" true; then continue; fi
    rm -rf "$old"
  done
}

# unpack_kernel gets User Mode Linux and its modules. Nothing of it is installed.
unpack_kernel() {
  local work=$IMAGE/deb
  mkdir "$work"
  # apt fetches as a user of its own, which may not write where only root may.
  (cd "$work" && apt-get --quiet --option APT::Sandbox::User=root download user-mode-linux) || return
  dpkg-deb --extract "$work"/user-mode-linux_*.deb "$work/root" || return
  mv "$work/root/usr/bin/linux.uml" "$IMAGE/linux" && mv "$work/root/usr/lib/uml/modules" "$IMAGE/modules" && rm -r "$work"
}

# make_tree makes the tree of files.
make_tree() {
  local tree=$IMAGE/root include mirror=$VM_MIRROR
  # The mirror that this machine uses. The word with the dollar is apt's.
  # shellcheck disable=SC2016
  [[ -n $mirror ]] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
  include=$(IFS=, && echo "${IMAGE_PACKAGES[*]}")
  # How this machine fetches packages: proxies, timeouts, what it thinks of expired lists.
  apt-config dump --format '%f "%v";%n' Acquire >"$IMAGE/apt.conf" || return
  mmdebstrap --variant=minbase --mode=root --include="$include" --aptopt="$IMAGE/apt.conf" \
    bookworm "$tree" "${mirror:-http://deb.debian.org/debian}" || return
  rm -f "$tree"/etc/apt/apt.conf.d/99mmdebstrap "$tree/etc/resolv.conf"
  rm -rf "$tree"/usr/share/{doc,man,locale}/* "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin
  cp --recursive --no-dereference "$VM_SCRIPTS/image/." "$tree/" || return
  # Nobody answers for names here.
  echo 'nameserver 127.0.0.1' >"$tree/etc/resolv.conf"
  : >"$tree/etc/machine-id"
  mkdir -p "$tree/lib/modules" "$tree/opt/cni" "$tree/opt/kubernetes" "$tree/etc/kubernetes"
  cp --archive "$IMAGE/modules/." "$tree/lib/modules/" && rm -r "$IMAGE/modules" || return
  chroot "$tree" depmod "$(ls "$tree/lib/modules")" || return
  ln --symbolic --force --no-target-directory /usr/lib/cni "$tree/opt/cni/bin"
  local program unit
  for program in kubelet kubectl; do ln --symbolic --force /opt/kubernetes/kubernetes "$tree/usr/bin/$program"; done
  # What a machine that lives for minutes need not do.
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service dpkg-db-backup.timer fstrim.timer \
    systemd-timesyncd.service systemd-networkd-wait-online.service systemd-resolved.service systemd-pstore.service getty@.service \
    serial-getty@.service console-getty.service getty@tty1.service; do
    ln --symbolic --force /dev/null "$tree/etc/systemd/system/$unit"
  done
  chroot "$tree" systemctl enable systemd-networkd containerd image-preload clock-speed || return
  chroot "$tree" systemctl disable kubelet
}

# make_disk makes the disk of the tree.
make_disk() {
  local building=$IMAGE/disk.building
  mke2fs -q -t ext4 -O ^has_journal -L root -d "$IMAGE/root" "$building" "$DISK_SIZE" && mv "$building" "$IMAGE/disk"
}
