#!/bin/sh
# deps.sh window|server|tests|deltas|bench ...
# Says which packages of the system are missing for the given purposes, and
# installs them on Debian and Ubuntu: at once as root, after a question with sudo
# otherwise. Elsewhere it says what to install. Without anything missing it is silent.
#   window  what Fyne needs to build and to open a window
#   server  the database server of the demo and of the tests
#   tests   what single tests use: a tracer, other makers of archives, a display
#   deltas  the tools that deltas are measured against
#   bench   the tool that updates of files are measured against
set -eu

need=""
want() { # want PACKAGE TEST…: note the package if the test fails
	package=$1
	shift
	"$@" >/dev/null 2>&1 || need="$need $package"
}
command_exists() { command -v "$1" || [ -x "/usr/sbin/$1" ]; }
header_exists() { [ -e "/usr/include/$1" ] || pkg-config --exists "$2" 2>/dev/null; }
driver_exists() { # any of them will do
	for driver in /usr/lib/*/dri/swrast_dri.so /usr/lib/*/libgallium*.so /usr/lib/dri/swrast_dri.so; do
		[ ! -e "$driver" ] || return 0
	done
	return 1
}

for purpose in "$@"; do
	case $purpose in
	window)
		want gcc command_exists gcc
		want pkg-config command_exists pkg-config
		want libgl1-mesa-dev header_exists GL/gl.h gl
		want xorg-dev header_exists X11/extensions/Xrandr.h xrandr
		want libgl1-mesa-dri driver_exists
		;;
	server)
		want mariadb-server-core command_exists mariadbd
		;;
	tests)
		for tool in strace git zstd bsdiff bzip2 zip xdotool; do
			want "$tool" command_exists "$tool"
		done
		want acl command_exists setfacl
		want e2fsprogs command_exists chattr
		want ntfs-3g command_exists lowntfs-3g
		want xz-utils command_exists xz
		want xvfb command_exists Xvfb
		;;
	bench)
		want rsync command_exists rsync
		;;
	deltas)
		want zstd command_exists zstd
		want bsdiff command_exists bsdiff
		want xdelta3 command_exists xdelta3
		;;
	*)
		echo "deps.sh: unknown purpose $purpose" >&2
		exit 2
		;;
	esac
done
[ -n "$need" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	cat >&2 <<-TEXT
		Missing:$need

		These are the names on Debian and Ubuntu. Elsewhere install:
		  Fedora  dnf install gcc pkgconf-pkg-config mesa-libGL-devel libXcursor-devel libXrandr-devel libXinerama-devel libXi-devel libXxf86vm-devel mariadb-server strace
		  Arch    pacman -S gcc pkgconf libgl libxcursor libxrandr libxinerama libxi libxxf86vm mariadb strace
		  macOS   xcode-select --install; brew install mariadb
		  Windows MSYS2 with mingw-w64-x86_64-gcc; MariaDB's zip archive on the PATH
	TEXT
	exit 1
fi

echo "Missing:$need" >&2
sudo=""
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "Install them as root: apt-get install$need" >&2
		exit 1
	fi
	sudo=sudo
	if [ -t 0 ]; then
		printf 'Install them with sudo apt-get? [Y/n] ' >&2
		read -r answer
		case $answer in
		"" | y* | Y*) ;;
		*)
			echo "Install them with: sudo apt-get install$need" >&2
			exit 1
			;;
		esac
	fi
fi
export DEBIAN_FRONTEND=noninteractive
# A list that can't be fetched need not be in the way: the packages may be known already.
$sudo apt-get -qq update || echo "apt-get update had trouble; trying to install all the same" >&2
# shellcheck disable=SC2086
$sudo apt-get -qq install -y --no-install-recommends $need >/dev/null
