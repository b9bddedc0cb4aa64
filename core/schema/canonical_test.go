package schema_test

import (
	"strings"
	"testing"

	"moult/core/schema"
)

// sames are pairs of definitions of a table's inside that a server describes in
// the same words. The column or key is what both vendors' references or the
// servers themselves say.
var sames = []struct {
	name, a, b string
	fl         schema.Flavor
}{
	{"synonyms of types", "a integer, b dec(5), c bool, d numeric(3,1), e real, f character varying(9), g int4", "a int, b decimal(5,0), c tinyint(1), d decimal(3,1), e double, f varchar(9), g int", schema.DefaultMariaDB},
	{"display widths", "a int(10), b bigint(20) unsigned", "a int, b bigint unsigned", schema.DefaultMariaDB},
	{"zerofill is unsigned", "a int(5) zerofill", "a int(5) unsigned zerofill", schema.DefaultMariaDB},
	{"texts by length", "a text(10), b text(300), c text(70000), d blob(10)", "a tinytext, b text, c mediumtext, d tinyblob", schema.DefaultMySQL},
	{"precisions of float", "a float(10), b float(30)", "a float, b double", schema.DefaultMariaDB},
	{"implicit NULL", "a int, b text, c timestamp NULL", "a int DEFAULT NULL, b text DEFAULT NULL, c timestamp NULL DEFAULT NULL", schema.DefaultMariaDB},
	{"numbers as defaults", "a int DEFAULT '1', b int DEFAULT 1.6, c decimal(5,2) DEFAULT 1, d decimal(5,2) DEFAULT '1.005', e float DEFAULT 1e3, f tinyint(1) DEFAULT TRUE", "a int DEFAULT 1, b int DEFAULT 2, c decimal(5,2) DEFAULT 1.00, d decimal(5,2) DEFAULT 1.01, e float DEFAULT 1000, f tinyint(1) DEFAULT 1", schema.DefaultMariaDB},
	{"texts as defaults", "a varchar(3) DEFAULT 5, b enum('x','Y') DEFAULT 'y', c set('x','y') DEFAULT 'y,x', d varchar(3) DEFAULT 0x6162", "a varchar(3) DEFAULT '5', b enum('x','Y') DEFAULT 'Y', c set('x','y') DEFAULT 'x,y', d varchar(3) DEFAULT 'ab'", schema.DefaultMariaDB},
	{"the fill of fixed widths", `a binary(4) DEFAULT '', b binary(4) DEFAULT 'ab', c char(4) DEFAULT 'ab  ', d char(2) CHARACTER SET binary DEFAULT 'x'`, `a binary(4) DEFAULT '\0\0\0\0', b binary(4) DEFAULT 'ab\0\0', c char(4) DEFAULT 'ab', d binary(2) DEFAULT 'x\0'`, schema.DefaultMariaDB},
	{"dates as defaults", "a date DEFAULT '2020-1-1', b datetime DEFAULT '20200101', c time DEFAULT '1:2:3', d year DEFAULT 20, e datetime DEFAULT 0", "a date DEFAULT '2020-01-01', b datetime DEFAULT '2020-01-01 00:00:00', c time DEFAULT '01:02:03', d year DEFAULT 2020, e datetime DEFAULT '0000-00-00 00:00:00'", schema.DefaultMariaDB},
	{"bits", "a bit DEFAULT 1, b bit(8) DEFAULT 5, c bit(8) DEFAULT b'0101'", "a bit(1) DEFAULT b'1', b bit(8) DEFAULT b'101', c bit(8) DEFAULT b'101'", schema.DefaultMariaDB},
	{"the clock", "a datetime DEFAULT now(), b timestamp(3) NULL DEFAULT current_timestamp(3) ON UPDATE now(3)", "a datetime DEFAULT CURRENT_TIMESTAMP, b timestamp(3) NULL DEFAULT localtimestamp(3) ON UPDATE CURRENT_TIMESTAMP(3)", schema.DefaultMariaDB},
	{"literals in parentheses on MariaDB", "a int DEFAULT (5), b datetime DEFAULT (now())", "a int DEFAULT 5, b datetime DEFAULT now()", schema.DefaultMariaDB},
	{"json on MariaDB", "a json", "a longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (json_valid(`a`))", schema.DefaultMariaDB},
	{"bytes", "a varchar(9) CHARACTER SET binary, b text CHARACTER SET binary", "a varbinary(9), b blob", schema.DefaultMySQL},
	{"names of character sets", "a varchar(9) CHARACTER SET utf8 COLLATE utf8_bin", "a varchar(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", schema.DefaultMariaDB},
	{"a collation implies its character set", "a varchar(9) COLLATE latin1_bin", "a varchar(9) CHARACTER SET latin1 COLLATE latin1_bin", schema.DefaultMariaDB},
	{"names of indexes", "a int, b int, KEY (a), KEY (a,b), UNIQUE (b)", "a int, b int, KEY a (a), KEY a_2 (a,b), UNIQUE KEY b (b)", schema.DefaultMariaDB},
	{"whole prefixes", "a varchar(9), KEY k (a(9))", "a varchar(9), KEY k (a)", schema.DefaultMariaDB},
	{"btree", "a int, KEY k (a) USING BTREE", "a int, KEY k (a)", schema.DefaultMariaDB},
	{"keys are not null", "a int, PRIMARY KEY (a)", "a int NOT NULL, PRIMARY KEY (a)", schema.DefaultMariaDB},
	{"inline keys", "a int PRIMARY KEY, b int UNIQUE", "a int NOT NULL, b int, PRIMARY KEY (a), UNIQUE KEY b (b)", schema.DefaultMariaDB},
	{"checks", "a int, CONSTRAINT c CHECK (NOT (a = 3 OR a IN (1,2)))", "a int, CONSTRAINT c CHECK (`a` <> 3 and `a` not in (1,2))", schema.DefaultMariaDB},
	{"names of checks on MySQL", "a int CHECK (a > 0), CHECK (a < 9)", "a int, CONSTRAINT t_chk_1 CHECK (a > 0), CONSTRAINT t_chk_2 CHECK (a < 9)", schema.DefaultMySQL},
	{"indexes of foreign keys", "a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t (b), b int UNIQUE", "a int, b int, UNIQUE KEY b (b), KEY f (a), CONSTRAINT f FOREIGN KEY (a) REFERENCES t (b) ON DELETE RESTRICT", schema.DefaultMariaDB},
	{"generated columns", "a int, b int GENERATED ALWAYS AS (`a` + (1)) PERSISTENT", "a int, b int AS ( a+1 ) STORED", schema.DefaultMariaDB},
}

// differents must not become the same.
var differents = []struct {
	name, a, b string
	fl         schema.Flavor
}{
	{"tinyint(1) is a boolean", "a tinyint(1)", "a tinyint(4)", schema.DefaultMariaDB},
	{"signs", "a int", "a int unsigned", schema.DefaultMariaDB},
	{"digits", "a decimal(10,2)", "a decimal(10,3)", schema.DefaultMariaDB},
	{"fractions of seconds", "a datetime", "a datetime(3)", schema.DefaultMariaDB},
	{"defaults", "a int DEFAULT 0", "a int DEFAULT NULL", schema.DefaultMariaDB},
	{"spaces are bytes", "a binary(4) DEFAULT 'ab'", "a binary(4) DEFAULT 'ab  '", schema.DefaultMariaDB},
	{"varying widths", "a varchar(4) DEFAULT 'ab'", "a varchar(4) DEFAULT 'ab  '", schema.DefaultMariaDB},
	{"an empty text is no NULL", "a varchar(9) DEFAULT ''", "a varchar(9)", schema.DefaultMariaDB},
	{"the order of members", "a enum('x','y')", "a enum('y','x')", schema.DefaultMariaDB},
	{"the order of columns in an index", "a int, b int, KEY k (a,b)", "a int, b int, KEY k (b,a)", schema.DefaultMariaDB},
	{"descending indexes", "a int, KEY k (a)", "a int, KEY k (a DESC)", schema.DefaultMariaDB},
	{"what happens on delete", "a int, b int UNIQUE, CONSTRAINT f FOREIGN KEY (a) REFERENCES t (b)", "a int, b int UNIQUE, CONSTRAINT f FOREIGN KEY (a) REFERENCES t (b) ON DELETE CASCADE", schema.DefaultMariaDB},
	{"expressions", "a int, CONSTRAINT c CHECK (a > 0)", "a int, CONSTRAINT c CHECK (a >= 0)", schema.DefaultMariaDB},
	{"associativity", "a int, CONSTRAINT c CHECK (a - 1 - 1 > 0)", "a int, CONSTRAINT c CHECK (a - (1 - 1) > 0)", schema.DefaultMariaDB},
	{"precedence", "a int, CONSTRAINT c CHECK (a = 1 OR a = 2 AND a = 3)", "a int, CONSTRAINT c CHECK ((a = 1 OR a = 2) AND a = 3)", schema.DefaultMariaDB},
	{"the case of texts", "a varchar(9), CONSTRAINT c CHECK (a <> 'x')", "a varchar(9), CONSTRAINT c CHECK (a <> 'X')", schema.DefaultMariaDB},
	{"an expression is no literal on MySQL", "a int DEFAULT (5)", "a int DEFAULT 5", schema.DefaultMySQL},
	{"invisible columns", "a int, b int", "a int, b int INVISIBLE", schema.DefaultMariaDB},
	{"comments", "a int COMMENT 'x'", "a int COMMENT 'X'", schema.DefaultMariaDB},
}

func compareTables(t *testing.T, a, b string, fl schema.Flavor) (bool, string) {
	t.Helper()
	x := schema.Canonical(read(t, "a", "CREATE TABLE t ("+a+");", fl), fl)
	y := schema.Canonical(read(t, "b", "CREATE TABLE t ("+b+");", fl), fl)
	same, differences := schema.Equal(x, y)
	return same, strings.Join(differences, "\n")
}

func TestCanonicalMakesTheSameWhatMeansTheSame(t *testing.T) {
	for _, tt := range sames {
		if same, differences := compareTables(t, tt.a, tt.b, tt.fl); !same {
			t.Errorf("%s: %s", tt.name, differences)
		}
	}
}

func TestCanonicalKeepsApartWhatDiffers(t *testing.T) {
	for _, tt := range differents {
		if same, _ := compareTables(t, tt.a, tt.b, tt.fl); same {
			t.Errorf("%s: (%s) and (%s) count as the same", tt.name, tt.a, tt.b)
		}
	}
}
