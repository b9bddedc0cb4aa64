package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Vendor tells the kinds of server apart.
type Vendor string

// The vendors.
const (
	MySQL   Vendor = "mysql"
	MariaDB Vendor = "mariadb"
	TiDB    Vendor = "tidb"
)

// Flavor is a kind and version of server. Every difference between servers that
// the engine knows of is a method of Flavor, and nowhere else.
type Flavor struct {
	Vendor  Vendor
	Version [3]int
}

// The flavors that are assumed when nobody says more.
var (
	DefaultMariaDB = Flavor{MariaDB, [3]int{10, 11, 0}}
	DefaultMySQL   = Flavor{MySQL, [3]int{8, 0, 36}}
	DefaultTiDB    = Flavor{TiDB, [3]int{8, 5, 0}}
)

// ParseFlavor reads a vendor and an optional version, as in "mariadb" and "10.11".
func ParseFlavor(vendor, version string) (Flavor, error) {
	var f Flavor
	switch Vendor(strings.ToLower(vendor)) {
	case MySQL:
		f = DefaultMySQL
	case MariaDB:
		f = DefaultMariaDB
	case TiDB:
		f = DefaultTiDB
	default:
		return Flavor{}, fmt.Errorf("flavor %q: want mysql, mariadb or tidb", vendor)
	}
	if version == "" {
		return f, nil
	}
	f.Version = [3]int{}
	parts := strings.Split(version, ".")
	if len(parts) > 3 {
		return Flavor{}, fmt.Errorf("server version %q: want at most three numbers", version)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return Flavor{}, fmt.Errorf("server version %q: %q is not a number", version, p)
		}
		f.Version[i] = n
	}
	return f, nil
}

// AtLeast reports whether the version is at least the given one.
func (f Flavor) AtLeast(version ...int) bool {
	for i, n := range version {
		if f.Version[i] != n {
			return f.Version[i] > n
		}
	}
	return true
}

// String returns the vendor and version, as in "mariadb 10.11.6".
func (f Flavor) String() string {
	return fmt.Sprintf("%s %d.%d.%d", f.Vendor, f.Version[0], f.Version[1], f.Version[2])
}

// is reports whether the server is of a vendor and at least of a version. A
// table of features below is a list of such pairs.
func (f Flavor) is(v Vendor, version ...int) bool { return f.Vendor == v && f.AtLeast(version...) }

// The features of servers, each with the version that brought it, from the
// vendors' release notes.
func (f Flavor) hasCheck() bool {
	return f.is(MySQL, 8, 0, 16) || f.is(MariaDB, 10, 2, 1) || f.is(TiDB, 7, 2)
}
func (f Flavor) hasInvisibleColumn() bool { return f.is(MySQL, 8, 0, 23) || f.is(MariaDB, 10, 3, 3) }
func (f Flavor) hasInvisibleIndex() bool {
	return f.is(MySQL, 8) || f.is(MariaDB, 10, 6) || f.is(TiDB, 5)
}
func (f Flavor) hasDescendingIndex() bool { return f.is(MySQL, 8) || f.is(MariaDB, 10, 8) }
func (f Flavor) hasRenameIndex() bool {
	return f.is(MySQL, 5, 7) || f.is(MariaDB, 10, 5, 2) || f.is(TiDB, 4)
}

// keepsJSON reports whether json is a type of its own and not a text with a check.
func (f Flavor) keepsJSON() bool { return f.Vendor != MariaDB }

// namesChecksByTable tells MySQL's t_chk_1 from MariaDB's CONSTRAINT_1.
func (f Flavor) namesChecksByTable() bool { return f.Vendor != MariaDB }

// showsWidth reports whether int(11) is still a thing to write.
func (f Flavor) showsWidth() bool { return f.Vendor == MariaDB || !f.AtLeast(8, 0, 19) }

// manyFulltext reports whether one ALTER may add two FULLTEXT indexes (error
// 1795 on MySQL).
func (f Flavor) manyFulltext() bool { return f.Vendor == MariaDB }

// wantsUniqueParents reports whether a foreign key has to lead to a unique key
// (error 6125, since MySQL 8.4).
func (f Flavor) wantsUniqueParents() bool { return f.is(MySQL, 8, 4) }

// aliases0900 reports whether MariaDB takes MySQL's collations of UCA 9.0.0 for
// its own of UCA 14.0.0 (MDEV-20912).
func (f Flavor) aliases0900() bool { return f.is(MariaDB, 11, 4, 5) }
