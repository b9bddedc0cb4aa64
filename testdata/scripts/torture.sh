#!/bin/sh
# torture.sh: all points of the kill tests, of which make test takes a sample, and their
# sum at the end. The parts run one after the other; each says how many points it took
# and how many of them ended between two releases.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
part() { # part PACKAGE TESTS TIMEOUT
	{ MOULT_TORTURE=1 go test -count=1 -v -timeout "$3" -run "$2" "$1" || echo "torture.sh: $1 failed"; } 2>&1 | tee -a "$log"
}
part ./core/files 'EveryStep|EveryMoment|RealProcess|Model' 60m
part ./app QuittingOver 30m
part ./core/database 'OldOrNew|RealReleases' 120m
part ./app/cli Kill 180m
awk '/ended mixed/ {
	sub(/^[^:]*:[0-9]+: /, "")
	points += $1
	if (match($0, /[0-9]+ ended mixed/)) mixed += substr($0, RSTART)
}
END { printf "torture: %d points, %d ended mixed\n", points, mixed }' "$log"
! grep -q '^torture.sh: .* failed$' "$log"
