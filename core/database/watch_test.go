package database

import (
	"testing"
	"time"

	"moult/core/schema"
)

func TestProgressOfALongAlterComesFromTheServer(t *testing.T) {
	s := newSite(t, "CREATE TABLE digits (d int)", "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"CREATE TABLE big (id int NOT NULL PRIMARY KEY, v varchar(200) NOT NULL)",
		"INSERT INTO big SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d, REPEAT('x', 150) FROM digits a, digits b, digits c, digits e, digits f",
		"DROP TABLE digits")
	if s.Flavor().Vendor == schema.MySQL {
		// The server has to collect stages, which we never ask it for.
		if s.text("SELECT @@performance_schema") != "1" {
			t.Skip("performance_schema is off")
		}
		s.exec("UPDATE performance_schema.setup_consumers SET enabled = 'YES' WHERE name LIKE 'events_stages%'",
			"UPDATE performance_schema.setup_instruments SET enabled = 'YES' WHERE name LIKE 'stage/%'")
	}
	s.waits.watch = 20 * time.Millisecond
	p := s.plan("CREATE TABLE big (id bigint NOT NULL PRIMARY KEY, v varchar(200) NOT NULL)")
	known, last, ended := 0, 0.0, false
	err := s.Run(t.Context(), p, p.Steps[0].Phase, nil, func(now Progress) {
		if now.Fraction > 0 && now.Fraction < 1 && !now.Estimated {
			known, last = known+1, now.Fraction
		}
		ended = now.Fraction == 1 && now.Done == now.Total
	})
	if err != nil {
		t.Fatal(err)
	}
	if known == 0 || !ended {
		t.Errorf("%d reports from the server, the last of %v; ended %v", known, last, ended)
	}
}
