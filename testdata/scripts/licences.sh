#!/bin/sh
# licences.sh FLAG…: prints the licences of Go and of all modules that the program is made
# of when it is built with these flags. They ask for their text to go with it.
set -eu
printf '==== Go %s\n\n' "$(go env GOVERSION)"
cat "$(go env GOROOT)/LICENSE"
go list "$@" -deps -f '{{with .Module}}{{if .Version}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' . | sort -u |
	while read -r path version dir; do
		for text in "$dir"/LICEN[CS]E* "$dir"/[Ll]icense* "$dir"/COPYING* "$dir"/NOTICE*; do
			[ ! -f "$text" ] || { printf '\n==== %s %s, %s\n\n' "$path" "$version" "${text##*/}" && cat "$text"; }
		done
	done
