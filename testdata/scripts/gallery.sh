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

dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null; wait; rm -rf "$dir"' EXIT
# A configuration and a language of its own, whatever this user has.
export HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache LANG=en_US.UTF-8 LC_ALL=en_US.UTF-8
./moult demo "$dir/demo" >"$dir/log" 2>&1 &
pid=$!
window=$(timeout 120 xdotool search --sync --onlyvisible --name '^Moult' | head -n 1)
xdotool windowmove "$window" 0 0 windowsize "$window" 1100 720
sleep 3
mkdir -p docs/images

shot() { import -window root -strip +dither -colors 200 -define png:compression-level=9 "PNG8:docs/images/$1.png"; }
click() { xdotool mousemove "$1" "$2" click 1 && sleep "$3"; }

click 984 49 5   # Check for updates
click 984 49 8   # Review update
click 398 148 2  # Files
click 290 529 3  # config/default.php
click 1038 195 3 # Edited here
shot files
click 590 435 12 # Merge both
click 293 305 3  # templates/layout.html
click 590 366 12 # Keep mine
click 240 148 2  # Overview
shot review
click 480 148 2  # Database
shot database
click 984 49 12  # Update to 1.5.0
shot done
click 946 49 3   # Roll back…
click 746 428 10 # Roll back
shot back
