# clean.sh: for scripts that try packages in a clean system. They source it and call
#   clean SUITE PACKAGE,…    makes $root, a Debian of that suite with these packages in it;
#                            what was downloaded for it is kept in .cache for the next time
#   inside COMMAND…          runs it there, whose mounts end with it
# It needs root, debootstrap and the network; without them the script ends well, saying so.
skip() {
	echo "$(basename "$0"): skipped: $1" >&2
	exit 0
}

clean() {
	[ "$(id -u)" = 0 ] || skip "only root can make a clean system"
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	clean=$PWD/.cache/clean-$1
	if [ ! -e "$clean/complete" ]; then
		rm -rf "$clean"
		mkdir -p "$clean"
		debootstrap --variant=minbase --include="$2" "$1" "$clean" >"$clean.log"
		touch "$clean/complete"
	fi
	root=$(mktemp -d)
	trap 'rm -rf "$root"' EXIT
	cp -a "$clean/." "$root/"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}

inside() {
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		unshare --mount --propagation private sh -euc '
			root=$1 && shift
			mount -t proc proc "$root/proc"
			mount --rbind /dev "$root/dev"
			exec chroot "$root" "$@"' inside "$root" "$@"
}
