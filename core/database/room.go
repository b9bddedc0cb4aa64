package database

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// rewrites are the algorithms that write the table once more.
var rewrites = map[string]bool{"COPY": true, "REBUILD": true}

// room compares what the plan writes anew with what is free beside the server's
// data, where both are on this machine.
func (f *preflight) room() ([]Finding, error) {
	var largest, kept int64
	for _, s := range f.plan.Steps {
		if s.Table == "" || !rewrites[s.Algorithm] && !s.DML {
			continue
		}
		size, err := tableBytes(f.ctx, f.q, s.Table)
		if err != nil {
			return nil, err
		}
		if s.DML {
			kept += size // at most: a copy of some of its values
			continue
		}
		largest = max(largest, size)
	}
	need := uint64(largest + kept)
	if need == 0 {
		return nil, nil
	}
	need += need / 10
	if f.d.dsn.Network != "unix" {
		return []Finding{{Code: "database room", Level: levelOK, Text: fmt.Sprintf("The server needs up to %s free for a while; how much it has can't be seen from here", humanize.Bytes(need))}}, nil
	}
	var dir string
	if err := f.q.QueryRowContext(f.ctx, "SELECT @@datadir").Scan(&dir); err != nil {
		return nil, fmt.Errorf("ask where the server's data are: %w", err)
	}
	free, err := freeBytes(dir)
	if err != nil {
		return nil, fmt.Errorf("free space beside the server's data in %s: %w", dir, err)
	}
	if free < need {
		return []Finding{{Code: "database room", Level: levelBlock,
			Text: fmt.Sprintf("The server needs up to %s in %s while it rewrites tables, and %s are free", humanize.Bytes(need), dir, humanize.Bytes(free)),
			Hint: "make room there"}}, nil
	}
	return []Finding{{Code: "database room", Level: levelOK, Text: fmt.Sprintf("The server needs up to %s for a while and has %s", humanize.Bytes(need), humanize.Bytes(free))}}, nil
}
