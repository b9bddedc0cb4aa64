package database

import (
	"context"
	"strconv"
	"strings"
	"time"

	"moult/core/schema"
)

// watchPatience bounds one look at the server, which may be busy.
const watchPatience = 2 * time.Second

// copyRate is how many rows a second a copying ALTER moves, for an estimate
// where the server says nothing: 1 M rows of 220 bytes took 5 to 7 s of CPU on
// MariaDB 10.11 and MySQL 9.7.
const copyRate = 100_000

// watcher returns a function that looks at the running statement from the
// outside and reports what it sees.
func (r *run) watcher(ctx context.Context, s *schema.Step, p Progress, started time.Time) func() {
	return func() {
		look, cancel := context.WithTimeout(ctx, watchPatience)
		defer cancel()
		all, err := r.d.processes(look, r.d.pool)
		if err != nil {
			return // no news is reported as none
		}
		for _, b := range all {
			if b.Connection != r.d.id {
				continue
			}
			p.Waiting = ""
			switch {
			case strings.Contains(strings.ToLower(b.State), "metadata lock"):
				p.Waiting = r.waitingFor(look)
			case r.d.stageProgress(look, &b):
				p.Fraction, p.Estimated = b.progress/100, false
			case s.Rows > 0:
				p.Fraction, p.Estimated = min(0.95, time.Since(started).Seconds()*copyRate/float64(s.Rows)), true
			}
		}
		r.send(p)
	}
}

// stageQuery asks MySQL how far an ALTER is. It answers when the server collects
// stages, which is up to its configuration.
const stageQuery = `SELECT s.work_completed, s.work_estimated FROM performance_schema.events_stages_current s
	JOIN performance_schema.threads t ON t.thread_id = s.thread_id WHERE s.work_estimated > 0 AND t.processlist_id = `

// stageProgress fills in the progress of a statement where the list of processes
// has none, and reports whether it is known.
func (d *DB) stageProgress(ctx context.Context, b *Blocker) bool {
	if d.flavor.Vendor == schema.MySQL {
		d.eachPair(ctx, stageQuery+strconv.FormatInt(b.Connection, 10), func(completed, estimated int64) {
			b.progress = min(100, 100*float64(completed)/float64(estimated))
		})
	}
	return b.progress > 0
}

// waitingFor names who holds the table.
func (r *run) waitingFor(ctx context.Context) string {
	blockers, err := r.d.Blockers(ctx)
	if err != nil || len(blockers) == 0 {
		return "a lock on the table, held by a session that this user may not see"
	}
	return blockers[0].String()
}
