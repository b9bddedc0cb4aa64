#!/bin/sh
# gallery.sh: takes the screenshots of docs/images from the running program, in a
# window of its own under Xvfb. Needs xvfb, xdotool and ImageMagick's import.
set -eu
cd "$(dirname "$0")/../.."
for tool in xvfb-run xdotool import; do
	command -v $tool >/dev/null 2>&1 || {
		echo "gallery.sh: $tool is missing (Debian and Ubuntu: apt-get install xvfb xdotool imagemagick)" >&2
		exit 1
	}
done
if [ -z "${GALLERY_INSIDE:-}" ]; then
	export GALLERY_INSIDE=1
	exec xvfb-run -a -s "-screen 0 1100x720x24" sh "$0"
fi

dir=$(mktemp -d /tmp/moult-XXX)
trap 'kill "$pid" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
# A configuration and a language of its own, whatever this user has.
export HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache LANG=en_US.UTF-8 LC_ALL=en_US.UTF-8
mkdir -p docs/images

# grab prints a hash of what is on the screen.
grab() { import -window root rgb:- | sha256sum; }

# still waits until the screen has not changed for three seconds: a plan is made
# anew after every decision, and under load that takes its time.
still() {
	before= same=0
	for _ in $(seq 240); do
		now=$(grab)
		if [ "$now" = "$before" ]; then same=$((same + 1)); else same=0; fi
		[ $same -ge 3 ] && return
		before=$now
		sleep 1
	done
	echo "gallery.sh: the window does not come to rest" >&2
	exit 1
}

# keys presses keys, and waits until the window has shown what they lead to.
keys() {
	seen=$(grab)
	xdotool key "$@"
	for _ in $(seq 240); do
		[ "$(grab)" != "$seen" ] && still && return
		sleep 0.5
	done
	echo "gallery.sh: nothing happens after $*" >&2
	exit 1
}

# open starts the program on the demo in $dir/$1, which is made if it isn't there.
open() {
	./moult demo "$dir/$1" >"$dir/$1.log" 2>&1 &
	pid=$!
	window=$(timeout 240 xdotool search --sync --onlyvisible --name '^Duckpond' | head -n 1)
	xdotool windowmove "$window" 0 0 windowsize "$window" 1100 720 mousemove 1099 719
	still
}

# leave closes it.
leave() {
	xdotool key ctrl+q
	wait "$pid" || true
}

# decide answers for the two files that were edited: both merged, and mine.
decide() {
	keys ctrl+d
	[ $# -eq 0 ] || shot "$1"
	keys Tab Tab Tab space
	keys ctrl+d
	keys Tab space
}

shot() { import -window root -strip +dither -colors 200 -define png:compression-level=9 "PNG8:docs/images/$1.png"; }

open demo
keys ctrl+r      # check
keys ctrl+Return # review
decide files
keys ctrl+1
shot review
keys ctrl+4
shot database
keys ctrl+Return # update
shot done
keys ctrl+b
keys Tab space # roll back
shot back
leave

# An update that fails when all is switched already, at a command of the admin's.
open failing
leave
cat >"$dir/reindex" <<'COMMAND'
#!/bin/sh
[ -e "$0.tried" ] && exit 0
touch "$0.tried"
echo 'search index: no space left on device'
exit 1
COMMAND
chmod +x "$dir/reindex"
printf '\n[hooks]\nafter = ["%s"]\n' "$dir/reindex" >>"$dir/failing/sites/wiki/.moult/site.toml"
open failing
keys ctrl+r
keys ctrl+Return
decide
keys ctrl+Return
shot failed
leave
