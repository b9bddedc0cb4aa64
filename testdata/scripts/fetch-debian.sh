#!/bin/sh
# fetch-debian.sh roundcube|pairs: unpacks two releases each of products that Debian
# packages into .cache, for tests and benchmarks that want real ones.
#   roundcube  .cache/roundcube/{old,new}: version, tree, schema.sql
#   pairs      .cache/pairs/PACKAGE/{old,new}: version, tree
# They come from the mirror that this machine's apt uses, with apt state of our own:
# nothing is installed, and nothing outside .cache is touched. No root is needed.
# Where no mirror can be reached the reason is left in .cache/WHAT/unavailable, and
# what wants the files gives it as the reason for its skip.
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
roundcube | pairs) what=$1 ;;
*)
	echo "usage: fetch-debian.sh roundcube|pairs" >&2
	exit 2
	;;
esac
cache=$PWD/.cache/$what
work=$PWD/.cache/fetch-$what

# The suites of each pair: the two newest that have the product, unless the older of
# them has the same release.
pairs="
	roundcube-core bookworm trixie
	mediawiki bookworm trixie
	wordpress bookworm trixie
	dokuwiki bookworm trixie
	phpmyadmin bookworm trixie
	cacti bookworm trixie
	icingaweb2 bookworm trixie
	zabbix-frontend-php bookworm trixie
	ldap-account-manager bookworm trixie
	adminer bookworm trixie
	phpldapadmin bookworm trixie
	phpsysinfo bookworm trixie
	nagvis bookworm trixie
	davical bullseye bookworm
	spip bullseye trixie
	simplesamlphp bullseye bookworm
"

missing() { # missing DIR...: says whether one of them is not there yet
	for dir; do [ -d "$dir/tree" ] || return 0; done
	return 1
}
wanted() {
	if [ $what = roundcube ]; then
		missing "$cache/old" "$cache/new"
		return
	fi
	echo "$pairs" | { while read -r package _; do
		[ -z "$package" ] || ! missing "$cache/$package/old" "$cache/$package/new" || exit 0
	done && exit 1; }
}
wanted || exit 0

mkdir -p "$cache"
rm -f "$cache/unavailable"
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
unavailable() {
	echo "$1" >"$cache/unavailable"
	echo "$what: $1" >&2
	exit 0
}
for tool in apt-get dpkg-deb; do
	command -v $tool >/dev/null 2>&1 || unavailable "$tool is not here: the packages come from Debian"
done
mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
	awk '/^URIs:/ {print $2} /^deb / {for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) print $i}' |
	grep -E '/debian/?$' | head -n 1 || true)
[ -n "$mirror" ] || unavailable "apt is not set up for a Debian mirror"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || unavailable "there is no keyring to verify Debian's archive with"

# apt SUITE COMMAND...: apt-get with state of its own, which knows one suite only.
apt() {
	suite=$1
	shift
	state=$work/apt-$suite
	options="-qq -o Dir::Etc::sourcelist=$state/sources.list -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o Dir::State=$state -o Dir::State::status=$state/status
		-o Dir::Cache=$state -o Debug::NoLocking=1 -o APT::Sandbox::User=root
		-o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
	# shellcheck disable=SC2086
	(cd "$state/archives" && export APT_CONFIG="$state/apt.conf" && apt-get $options "$@")
}

# suite NAME: makes the state for a suite, with its list of packages, once.
suite() {
	state=$work/apt-$1
	[ ! -d "$state" ] || return 0
	mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/parts"
	echo "deb [signed-by=$keyring] $mirror $1 main" >"$state/sources.list"
	: >"$state/status"
	# This machine's proxy settings hold here too; the hook that empties apt's cache does not.
	for part in /etc/apt/apt.conf.d/*; do
		case $part in *docker-clean) ;; *) ln -sf "$part" "$state/parts/" ;; esac
	done
	echo "Dir::Etc::parts \"$state/parts\";" >"$state/apt.conf"
	apt "$1" update || {
		rm -rf "$state"
		return 1
	}
}

# unpack PACKAGE SUITE: leaves what the package installs in $work/root, and its
# version in $work/version.
unpack() {
	suite "$2" || return 1
	rm -rf "$work/root" "$work/apt-$2"/archives/*.deb
	apt "$2" download "$1" || return 1
	deb=$(echo "$work/apt-$2/archives/$1"_*.deb)
	dpkg-deb -x "$deb" "$work/root" && dpkg-deb -f "$deb" Version >"$work/version" || return 1
	# Links lead to other packages. A release has regular files and directories only.
	find "$work/root" -type l -delete
}

# roundcube NAME SUITE
roundcube() {
	unpack roundcube-core "$2" || return 1
	rm -rf "${cache:?}/$1" "$work/release"
	mkdir "$work/release"
	mv "$work/version" "$work/release/"
	mv "$work/root/usr/share/roundcube" "$work/release/tree"
	mv "$work/root/usr/share/dbconfig-common/data/roundcube/install/mysql" "$work/release/schema.sql"
	mv "$work/release" "$cache/$1"
}

# product PACKAGE NAME SUITE: all of a package but what Debian says about it.
product() {
	missing "$cache/$1/$2" || return 0
	unpack "$1" "$3" || return 1
	rm -rf "$work/root/usr/share/doc" "$work/root/usr/share/man" "$work/root/usr/share/lintian" "$work/release"
	mkdir -p "$work/release" "$cache/$1"
	mv "$work/version" "$work/release/"
	mv "$work/root" "$work/release/tree"
	mv "$work/release" "$cache/$1/$2"
}

if [ $what = roundcube ]; then
	# The schema changed between 1.4 and 1.6; when Debian has archived the older
	# suite, two releases with the same schema are better than none.
	roundcube old bullseye || roundcube old bookworm || unavailable "the mirror could not be reached"
	roundcube new trixie || unavailable "the mirror has no newer release"
	exit 0
fi
echo "$pairs" | while read -r package older newer; do
	[ -n "$package" ] || continue
	product "$package" old "$older" && product "$package" new "$newer" ||
		echo "$package could not be fetched from $older and $newer" >>"$cache/unavailable"
done
[ ! -e "$cache/unavailable" ] || cat "$cache/unavailable" >&2
