package parse

import (
	"strings"
	"testing"

	"moult/core/schema"
)

func TestOlderServersFillInTimestamps(t *testing.T) {
	const sql = "CREATE TABLE t (a timestamp, b timestamp, c timestamp NULL, d timestamp DEFAULT '2020-01-01 00:00:00', e timestamp(3) ON UPDATE CURRENT_TIMESTAMP(3))"
	older := `t.a timestamp not null default now on update now(0)
t.b timestamp not null default "0000-00-00 00:00:00"
t.c timestamp
t.d timestamp not null default "2020-01-01 00:00:00"
t.e timestamp(3) not null default "0000-00-00 00:00:00" on update now(3)`
	newer := `t.a timestamp
t.b timestamp
t.c timestamp
t.d timestamp default "2020-01-01 00:00:00"
t.e timestamp(3) on update now(3)`
	for _, c := range []struct {
		vendor, version, want string
	}{
		{"mysql", "5.7", older}, {"mysql", "8.0", newer}, {"mariadb", "10.6", older}, {"mariadb", "10.11", newer}, {"tidb", "8.5", newer},
	} {
		fl, err := schema.ParseFlavor(c.vendor, c.version)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Text("", sql, fl)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(describe(s), "table t\n"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", fl, got, c.want)
		}
	}
}

func TestInlineReferencesAreKeysWhereTheServerMakesThem(t *testing.T) {
	for version, want := range map[[2]string]int{
		{"mysql", "5.7"}: 0, {"mysql", "8.4"}: 0, {"mysql", "9.0"}: 1, {"mariadb", "10.5"}: 1, {"mariadb", "11.8"}: 1, {"tidb", "8.5"}: 0,
	} {
		fl, err := schema.ParseFlavor(version[0], version[1])
		if err != nil {
			t.Fatal(err)
		}
		s, err := Text("", "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p (id))", fl)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Table("t").ForeignKeys); got != want {
			t.Errorf("%s: %d foreign keys, want %d", fl, got, want)
		}
	}
}

func TestFeaturesFollowTheVersion(t *testing.T) {
	for _, c := range []struct{ sql, vendor, without, with string }{
		{"CREATE TABLE t (a uuid)", "mariadb", "10.6", "10.7"},
		{"CREATE TABLE t (a inet4)", "mariadb", "10.9", "10.10"},
		{"CREATE TABLE t (a vector(3))", "mariadb", "11.6", "11.7"},
		{"CREATE TABLE t (a vector(3))", "mysql", "8.4", "9.0"},
		{"CREATE TABLE t (a vector(3) NOT NULL, VECTOR INDEX (a))", "mariadb", "11.4", "11.8"},
		{"CREATE TABLE t (a int, KEY k ((a + 1)))", "mysql", "8.0.12", "8.0.13"},
		{"CREATE TABLE t (a int, CHECK (a > 0) NOT ENFORCED)", "mysql", "8.0.15", "8.0.16"},
	} {
		for version, want := range map[string]bool{c.without: false, c.with: true} {
			fl, err := schema.ParseFlavor(c.vendor, version)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Text("", c.sql, fl)
			if (err == nil) != want {
				t.Errorf("%s, %s: %v", c.sql, fl, err)
			}
			if err != nil && !strings.Contains(err.Error(), fl.String()+" does not have ") {
				t.Errorf("%s, %s: the reason is %v", c.sql, fl, err)
			}
		}
	}
}

func TestExpressionsThatMeanTheSameAreEqual(t *testing.T) {
	for _, same := range [][]string{
		{"a > 0", "(`a` > 0)", "((A>0))", "/* x */ a  >\n0"},
		{"now()", "current_timestamp()", "NOW( )"},
		{"a <> 1 AND b != 2", "((`a` <> 1) and (`b` <> 2))"},
	} {
		want := Expr(same[0], schema.DefaultMariaDB)
		if want.Raw != same[0] || want.Canon == "" {
			t.Errorf("%q is read as %+v", same[0], want)
		}
		for _, other := range same[1:] {
			if got := Expr(other, schema.DefaultMariaDB); got.Canon != want.Canon {
				t.Errorf("%q is %q, and %q is %q", same[0], want.Canon, other, got.Canon)
			}
		}
	}
	if a, b := Expr("(a + b) * c", schema.DefaultMariaDB), Expr("a + b * c", schema.DefaultMariaDB); a.Canon == b.Canon {
		t.Errorf("both are %q", a.Canon)
	}
}
