#!/bin/sh
# fetch-roundcube.sh: unpacks two releases of roundcube-core, as Debian packages
# them, into .cache/roundcube/VERSION. They come from the mirror that this
# machine's apt uses, with apt state of our own: nothing is installed, and nothing
# outside .cache is touched. No root is needed. Where no mirror can be reached the
# reason is left in .cache/roundcube/unavailable, and the test that wants the files
# gives it as the reason for its skip.
set -eu
cd "$(dirname "$0")/../.."
cache=$PWD/.cache/roundcube

if [ -d "$cache/old" ] && [ -d "$cache/new" ]; then
	exit 0
fi
mkdir -p "$cache"
rm -f "$cache/unavailable"
unavailable() {
	echo "$1" >"$cache/unavailable"
	echo "roundcube: $1" >&2
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

# fetch NAME SUITE: NAME/tree, NAME/schema.sql and NAME/version from the suite's package.
fetch() {
	apt=$cache/apt-$2
	rm -rf "$apt" "$cache/$1.new"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts" "$cache/$1.new"
	echo "deb [signed-by=$keyring] $mirror $2 main" >"$apt/sources.list"
	: >"$apt/status"
	# This machine's proxy settings hold here too; the hook that empties apt's cache does not.
	for part in /etc/apt/apt.conf.d/*; do
		case $part in *docker-clean) ;; *) ln -sf "$part" "$apt/parts/" ;; esac
	done
	echo "Dir::Etc::parts \"$apt/parts\";" >"$apt/apt.conf"
	options="-qq -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o Dir::State=$apt -o Dir::State::status=$apt/status
		-o Dir::Cache=$apt -o Debug::NoLocking=1 -o APT::Sandbox::User=root
		-o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
	# shellcheck disable=SC2086
	(cd "$apt/archives" && export APT_CONFIG="$apt/apt.conf" && apt-get $options update && apt-get $options download roundcube-core) || return 1
	deb=$(echo "$apt"/archives/roundcube-core_*.deb)
	dpkg-deb -x "$deb" "$apt/root"
	dpkg-deb -f "$deb" Version >"$cache/$1.new/version"
	mv "$apt/root/usr/share/roundcube" "$cache/$1.new/tree"
	mv "$apt/root/usr/share/dbconfig-common/data/roundcube/install/mysql" "$cache/$1.new/schema.sql"
	# Links lead to other packages. A release has regular files and directories only.
	find "$cache/$1.new/tree" -type l -delete
	mv "$cache/$1.new" "$cache/$1"
	rm -rf "$apt"
}

# The schema changed between 1.4 and 1.6; when Debian has archived the older
# suite, two releases with the same schema are better than none.
fetch old bullseye || fetch old bookworm || unavailable "the mirror could not be reached"
fetch new trixie || unavailable "the mirror has no newer release"
