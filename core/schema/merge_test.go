package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
)

// merges are sites whose admin and publisher both changed something. What is
// expected are the columns and indexes of t after the merge, and the findings.
var merges = []struct {
	name, base, live, target string
	want                     string // the target that the merge gives, as SQL
	findings                 []string
}{
	{"what only the site has stays",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int, mine int, KEY mine (mine)); CREATE TABLE own (x int)",
		"CREATE TABLE t (a int, new int)",
		"CREATE TABLE t (a int, new int, mine int, KEY mine (mine)); CREATE TABLE own (x int)",
		[]string{"kept table t, column mine", "kept table t, index mine", "kept table own"}},
	{"what the product did not change stays changed",
		"CREATE TABLE t (a int, b varchar(10), KEY b (b))",
		"CREATE TABLE t (a bigint, b varchar(10))",
		"CREATE TABLE t (a int, b varchar(10), c int, KEY b (b))",
		"CREATE TABLE t (a bigint, b varchar(10), c int)",
		[]string{"drift table t, column a", "drift table t, index b"}},
	{"a column changed on both sides takes the wider form",
		"CREATE TABLE t (a varchar(10))",
		"CREATE TABLE t (a varchar(200))",
		"CREATE TABLE t (a varchar(50) NOT NULL)",
		"CREATE TABLE t (a varchar(200) NOT NULL)",
		[]string{"conflict table t, column a"}},
	{"a column changed on both sides takes the release's form otherwise",
		"CREATE TABLE t (a varchar(10))",
		"CREATE TABLE t (a varchar(20) DEFAULT 'x')",
		"CREATE TABLE t (a varchar(50))",
		"CREATE TABLE t (a varchar(50))",
		[]string{"conflict table t, column a"}},
	{"what both added alike is no conflict",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int, b int)",
		"CREATE TABLE t (a int, b int)",
		"CREATE TABLE t (a int, b int)", nil},
	{"a table removed on the site is not made again without a reason",
		"CREATE TABLE t (a int); CREATE TABLE u (a int)",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int, b int); CREATE TABLE u (a int)",
		"CREATE TABLE t (a int, b int)",
		[]string{"drift table u"}},
	{"a table removed on the site and changed by the product comes back",
		"CREATE TABLE t (a int); CREATE TABLE u (a int)",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int); CREATE TABLE u (a int, b int)",
		"CREATE TABLE t (a int); CREATE TABLE u (a int, b int)",
		[]string{"conflict table u"}},
	{"what the product drops goes, changed or not",
		"CREATE TABLE t (a int, b int); CREATE TABLE u (a int)",
		"CREATE TABLE t (a int, b bigint); CREATE TABLE u (a int, mine int)",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int)",
		[]string{"conflict table t, column b", "conflict table u"}},
	{"an index of the site goes with a column of the product",
		"CREATE TABLE t (a int, b int)",
		"CREATE TABLE t (a int, b int, KEY mine (b, a))",
		"CREATE TABLE t (a int)",
		"CREATE TABLE t (a int)",
		[]string{"conflict table t, index mine"}},
	{"a renamed column keeps the site's type",
		"CREATE TABLE t (a int, b int)",
		"CREATE TABLE t (a int, b bigint)",
		"CREATE TABLE t (a int, c int /* @renamed from=b */)",
		"CREATE TABLE t (a int, c bigint)",
		[]string{"drift table t, column b"}},
	{"columns keep the site's order unless the product moved them",
		"CREATE TABLE t (a int, b int, c int)",
		"CREATE TABLE t (c int, a int, b int)",
		"CREATE TABLE t (a int, b int, n int, c int)",
		"CREATE TABLE t (c int, a int, b int, n int)", nil},
	{"options and comments",
		"CREATE TABLE t (a int) COMMENT='x'",
		"CREATE TABLE t (a int) COMMENT='mine' ROW_FORMAT=COMPRESSED",
		"CREATE TABLE t (a int) COMMENT='theirs' STATS_PERSISTENT=1",
		"CREATE TABLE t (a int) COMMENT='theirs' ROW_FORMAT=COMPRESSED STATS_PERSISTENT=1",
		[]string{"conflict table t, comment", "drift table t, option ROW_FORMAT"}},
	{"names that the server makes up don't count",
		"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, CONSTRAINT t_ibfk_1 FOREIGN KEY (a) REFERENCES p (id))",
		"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, KEY a (a), CONSTRAINT t_ibfk_7 FOREIGN KEY (a) REFERENCES p (id))",
		"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES p (id))",
		"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, KEY a (a), FOREIGN KEY (a) REFERENCES p (id))", nil},
	{"views and triggers",
		"CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM t",
		"CREATE TABLE t (a int); CREATE VIEW v AS SELECT a+1 AS a FROM t; CREATE VIEW w AS SELECT a FROM t; CREATE VIEW mine AS SELECT 1 AS one",
		"CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a+2 AS a FROM t",
		"CREATE TABLE t (a int); CREATE VIEW v AS SELECT a+1 AS a FROM t; CREATE VIEW w AS SELECT a+2 AS a FROM t; CREATE VIEW mine AS SELECT 1 AS one",
		[]string{"drift view v", "kept view mine"}},
}

func TestMergeChangesOnlyWhatTheProductChanged(t *testing.T) {
	fl := schema.DefaultMariaDB
	for _, tt := range merges {
		t.Run(tt.name, func(t *testing.T) {
			m := schema.Merge(read(t, "base", tt.base, fl), read(t, "live", tt.live, fl), read(t, "target", tt.target, fl), fl)
			if same, differences := schema.Equal(m.Target, schema.Canonical(read(t, "want", tt.want, fl), fl)); !same {
				t.Errorf("the merge is not as expected:\n%s", strings.Join(differences, "\n"))
			}
			var got []string
			for _, group := range []struct {
				word string
				left []schema.Left
			}{{"kept", m.Kept}, {"drift", m.Drift}, {"conflict", m.Conflicts}} {
				for _, l := range group.left {
					got = append(got, fmt.Sprint(group.word, " ", l.Object))
					if l.Reason == "" {
						t.Errorf("%s: no reason", l.Object)
					}
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.findings))
			if !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}
