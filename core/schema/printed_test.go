package schema_test

import (
	"context"
	"testing"

	"moult/core/schema"
)

// otherWords are definitions that servers print in other words than those of the
// file. The rules of canonical form must find them one, and so must a server that
// is asked what it makes of the file, as it is in an update.
var otherWords = []struct{ name, on, sql string }{
	{"a day as a default", "mariadb", "CREATE TABLE t (a int, d date DEFAULT (cast(now() as date)))"},
	{"a list with NULL", "", "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (3,NULL,1), PARTITION p1 VALUES IN (2))"},
	{"bounds that are computed", "", "CREATE TABLE t (d date) PARTITION BY RANGE (to_days(d)) (PARTITION p0 VALUES LESS THAN (to_days('2020-01-01')), PARTITION p1 VALUES LESS THAN MAXVALUE)"},
	{"versions by the day", "mariadb", "CREATE TABLE t (a int) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME INTERVAL 1 DAY (PARTITION p0 HISTORY, PARTITION pn CURRENT)"},
	{"a tablespace", "mysql", "CREATE TABLE t (a int) TABLESPACE=innodb_file_per_table"},
	{"checksums of pages", "mariadb", "CREATE TABLE t (a int) ENGINE=Aria PAGE_CHECKSUM=1"},
	{"no checksums of pages", "mariadb", "CREATE TABLE t (a int) ENGINE=Aria PAGE_CHECKSUM=0"},
	{"a spatial reference", "mariadb", "CREATE TABLE t (g point REF_SYSTEM_ID=4326 NOT NULL)"},
	{"a spatial reference", "mysql", "CREATE TABLE t (g point NOT NULL SRID 4326)"},
	{"a pattern", "", "CREATE TABLE t (a varchar(9), CHECK (a REGEXP '^x'))"},
	{"a pattern that is not", "", "CREATE TABLE t (a varchar(9), CHECK (a NOT RLIKE '^x'))"},
	{"an index over a list in JSON", "mysql", "CREATE TABLE t (j json, KEY k ((cast(j->'$.a' as unsigned array))))"},
	{"the size of an index's blocks", "", "CREATE TABLE t (a int, KEY a (a) KEY_BLOCK_SIZE=4)"},
	{"a size of blocks on a compressed table", "", "CREATE TABLE t (a int, KEY a (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4"},
	{"another character set for new columns", "", "CREATE TABLE t (a varchar(9)) CHARACTER SET latin1;;\nALTER TABLE t DEFAULT CHARACTER SET utf8mb4"},
	{"another character set for new columns, then a column", "", "CREATE TABLE t (a varchar(9)) CHARACTER SET latin1;;\nALTER TABLE t DEFAULT CHARACTER SET utf8mb4;;\nALTER TABLE t ADD b varchar(9)"},
	{"De Morgan", "", "CREATE TABLE t (a int, CHECK (NOT (a = 3 OR a IN (1,2))))"},
	{"an interval", "", "CREATE TABLE t (d datetime DEFAULT (now() + INTERVAL 1 DAY))"},
}

func TestWhatServersPrintIsWhatFilesSay(t *testing.T) {
	for _, tt := range otherWords {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, "")
			fl := s.db.Flavor()
			if !concerns(t, tt.on, fl) {
				t.Skipf("a matter of %s", tt.on)
			}
			execute(t, s.pool, tt.sql)
			live := s.schema()
			target := inDatabase(read(t, "t.sql", delimited(tt.sql), fl), live, fl)
			p, err := schema.NewPlan(live, target, schema.Options{Flavor: fl})
			if err != nil {
				t.Fatal(err)
			}
			if !p.Empty() {
				t.Errorf("the rules find a difference\n%s", script(p))
			}
			resolved, err := s.db.Resolve(context.Background(), target, live)
			if err != nil {
				t.Fatal(err)
			}
			if p, err = schema.NewPlan(live, resolved, schema.Options{Flavor: fl}); err != nil || !p.Empty() {
				t.Errorf("the server finds a difference: %v\n%s", err, script(p))
			}
		})
	}
}
