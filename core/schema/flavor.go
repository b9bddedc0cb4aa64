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
