#!/bin/sh
# windows-test.sh: runs the program for Windows, without its window, under Wine in a
# clean Debian 13: a site is updated and rolled back by a full package, a patch and a
# delta, which were made on Linux, and by a release that was made on Windows. It wants
# dist/moult-headless.
set -eu
cd "$(dirname "$0")/../.."
. testdata/scripts/clean.sh
clean trixie ca-certificates,wine64,wine
work=$root/tmp/moult
mkdir -p "$work/v1" && cd "$work"
for i in $(seq 1 40); do seq "$i" 500 >"v1/file$i.php"; done
echo '#!/bin/sh' >v1/run && chmod 755 v1/run
cp -a v1 v2 && mkdir v2/new && echo new >v2/new/page.php && chmod 444 v2/new/page.php
echo changed >>v2/file3.php && rm v2/file4.php
cd "$OLDPWD"
GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -tags headless -o "$work/moult.exe" .

publish() { # publish RELEASES FLAG…: with the program for this system
	releases=$work/$1
	shift
	./dist/moult-headless publish init "$releases" --quiet
	./dist/moult-headless publish add "$releases" --version 1.0.0 --tree "$work/v1" --quiet
	./dist/moult-headless publish add "$releases" --version 1.1.0 --tree "$work/v2" "$@" --quiet
}
publish full
publish patch --patch-from 1.0.0
publish delta --patch-from 1.0.0 --delta

inside sh -euc '
	export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp
	wineboot -i >/dev/null 2>&1
	cd /tmp/moult
	moult() { wine moult.exe "$@" </dev/null; }
	moult version
	moult publish init windows --quiet
	moult publish add windows --version 1.0.0 --tree v1 --quiet
	moult publish add windows --version 1.1.0 --tree v2 --quiet
	for releases in full patch delta windows; do
		cp -r v1 site
		moult init site --url "file:///Z:/tmp/moult/$releases/" --root "$releases/root.json" --quiet
		moult update site --yes --quiet
		diff -r --exclude=.moult v2 site
		moult rollback site --yes --quiet
		diff -r --exclude=.moult v1 site
		rm -r site
	done'
echo "== the program for Windows updates and rolls back under Wine"
