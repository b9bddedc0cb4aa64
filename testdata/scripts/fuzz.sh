#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the tree for TIME, one after the other.
set -eu
time=${1:-30s}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | while read -r target; do
		echo "== $dir $target"
		# By default each interesting input is made smaller for up to a minute, which
		# leaves a short run no time for anything else.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$dir"
	done
done
