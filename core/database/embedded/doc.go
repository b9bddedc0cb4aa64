// Package embedded runs a private MariaDB server for the demo and for tests: a
// process of our own with its own data directory, reached over a Unix socket
// that only the owner of the directory can open.
//
// [Start] needs nothing but the program mariadbd and its share files (Debian and
// Ubuntu: the package mariadb-server-core). It reads no configuration of the
// machine, listens on no network port and needs no root. The first start on a
// machine makes a template of an empty data directory (about a second); every
// later one copies it and is ready in about 0.2 s.
//
// The server ends with [Server.Stop], and also when the process that started it
// is gone, however that ended: no server is ever left behind.
//
// Tests ask for a database of their own:
//
//	func TestMain(m *testing.M) { os.Exit(embedded.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		dsn := embedded.ForTest(t) // skips when mariadbd is not installed
//		…
//	}
//
// A running server is shared by all tests of a process. The variable
// MOULT_TEST_DSN names another server to run the same tests against.
//
// The package never touches a server that it has not started, except the one
// named in MOULT_TEST_DSN, where it creates and drops databases whose names
// begin with "moult_test_".
package embedded
