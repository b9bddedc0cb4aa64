package database

import (
	"strings"
	"testing"

	"moult/core/schema"
)

// wordy is what servers store in other words than a product's file has.
const wordy = `
CREATE TABLE t (id int NOT NULL, a int NOT NULL DEFAULT (1 + 1), b int AS (a * 2 + IF(a > 3 AND NOT a = 7, 1, 0)) STORED, d date NOT NULL,
	PRIMARY KEY (id, d), CHECK (NOT (a = 3 OR a IS NULL) AND a <> 9)) ENGINE=InnoDB
	PARTITION BY RANGE (YEAR(d) + 1) (PARTITION old VALUES LESS THAN (1999 + 1), PARTITION rest VALUES LESS THAN MAXVALUE);
CREATE VIEW v AS SELECT id, a FROM t WHERE NOT a = 7 AND d > '2020-01-01';
CREATE VIEW w AS SELECT v.id FROM v JOIN t USING (id);
`

func TestWhatTheServerStoresInOtherWordsIsNoChange(t *testing.T) {
	s := newSite(t)
	if f := s.Flavor(); f.Vendor == schema.MySQL && !f.AtLeast(8, 0, 16) {
		t.Skipf("%s knows neither computed defaults nor checks", f)
	}
	s.exec(strings.Split(strings.TrimSuffix(strings.TrimSpace(wordy), ";"), ";\n")...)
	if p := s.plan(wordy); len(p.Steps) != 0 {
		t.Errorf("in a scratch database: %s", script(p))
	}
	s.DB = s.limited("ALL PRIVILEGES") // on this database, and on no other
	if p := s.plan(wordy); len(p.Steps) != 0 {
		t.Errorf("beside the site's tables: %s", script(p))
	}
	if n := s.text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"); n != "3" {
		t.Errorf("%s tables and views, want 3", n)
	}
	for _, change := range []string{"a <> 9|a <> 8", "a * 2|a * 3", "1 + 1|1 + 2", "1999 + 1|1999 + 2", "NOT a = 7 AND|NOT a = 6 AND"} {
		was, is, _ := strings.Cut(change, "|")
		if p := s.plan(strings.Replace(wordy, was, is, 1)); len(p.Steps) == 0 {
			t.Errorf("%s is not seen", change)
		}
	}
}
