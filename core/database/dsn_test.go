package database

import (
	"strings"
	"testing"
)

func TestParseDSN(t *testing.T) {
	for _, c := range []struct{ in, text, shown, password string }{
		{"mysql://shop:s3cret@db.example:3307/shop", "shop@tcp(db.example:3307)/shop", "shop@db.example:3307/shop", "s3cret"},
		{"mysql://shop@db.example/shop", "shop@tcp(db.example:3306)/shop", "shop@db.example:3306/shop", ""},
		{"mariadb://shop:p%40ss%2F%3A@[::1]/shop?tls=true&charset=utf8mb4", "shop@tcp([::1]:3306)/shop?tls=true", "shop@[::1]:3306/shop", "p@ss/:"},
		{"mysql://shop@localhost/shop?socket=/run/mysqld/mysqld.sock", "shop@unix(/run/mysqld/mysqld.sock)/shop", "shop@/run/mysqld/mysqld.sock/shop", ""},
		{"shop:s3:c@ret@tcp(127.0.0.1:3306)/shop?parseTime=true&tls=skip-verify", "shop@tcp(127.0.0.1:3306)/shop?tls=skip-verify", "shop@127.0.0.1:3306/shop", "s3:c@ret"},
		{"shop@unix(/tmp/my sock)/shop", "shop@unix(/tmp/my sock)/shop", "shop@/tmp/my sock/shop", ""},
		{"shop@tcp(db)/shop?tls-ca=/etc/my ca.pem", "shop@tcp(db:3306)/shop?tls=true&tls-ca=%2Fetc%2Fmy+ca.pem", "shop@db:3306/shop", ""},
		{"mysql://shop@db/shop?tls=true&tls-ca=/ca.pem", "shop@tcp(db:3306)/shop?tls=true&tls-ca=%2Fca.pem", "shop@db:3306/shop", ""},
		{"shop@tcp(db)/a-b", "shop@tcp(db:3306)/a-b", "shop@db:3306/a-b", ""},
	} {
		d, err := ParseDSN(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d.Text() != c.text || d.String() != c.shown || d.password != c.password || d.HasPassword() != (c.password != "") {
			t.Errorf("%s: Text %q, String %q, password %q; want %q, %q, %q", c.in, d.Text(), d.String(), d.password, c.text, c.shown, c.password)
		}
		again, err := ParseDSN(d.Text())
		if err != nil || again.WithPassword(c.password).Text() != c.text {
			t.Errorf("%s: Text %q reads as %+v, %v", c.in, d.Text(), again, err)
		}
	}
}

func TestBadDSNIsRefusedWithoutItsPassword(t *testing.T) {
	for in, word := range map[string]string{
		"":                                     "mysql://",
		"shop":                                 "mysql://",
		"mysql://shop:s3cret@host":             "database",
		"mysql://shop:s3cret@host/":            "database",
		"mysql://shop:s3cret@host:port/x":      "URL",
		"mysql://shop:s3cr%et@host/x":          "%25",
		"mysql://u:s3cret@h/x/y":               "/",
		"mysql://u:s3cret@h/x?socket=/s":       "both",
		"u:s3cret@tcp(h)/x?tls=maybe":          "tls",
		"u:s3cret@tcp(h)/x?allowAllFiles=true": "allowAllFiles",
		"u:s3cret@unix(/s)/x?tls=true":         "socket",
		"u:s3cret@tcp(h)/x?tls=skip-verify&tls-ca=/ca.pem": "tls-ca",
		"u:s3cret@unix(/s)/x?tls-ca=/ca.pem":               "socket",
		"u:s3cret@pipe(h)/x":                               "network",
		"u:s3cret@tcp(h/x":                                 "want",
		"postgres://u:s3cret@h/x":                          "want",
	} {
		_, err := ParseDSN(in)
		if err == nil {
			t.Errorf("%q: accepted", in)
			continue
		}
		if strings.Contains(err.Error(), "s3c") || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v; want the word %q and no password", in, err, word)
		}
	}
}

func FuzzParseDSN(f *testing.F) {
	f.Add("mysql://shop:s3cret@db.example:3307/shop?tls=true")
	f.Add("shop:s3cret@unix(/run/s)/shop?charset=x")
	f.Add("shop@tcp(db)/shop?tls-ca=/etc/ca.pem")
	f.Add("mysql://%zz")
	f.Fuzz(func(t *testing.T, in string) {
		d, err := ParseDSN(in)
		if err != nil {
			return
		}
		if d.Database == "" || d.Network != "tcp" && d.Network != "unix" {
			t.Fatalf("%q reads as %+v", in, d)
		}
		// What a configuration file keeps has to mean the same.
		again, err := ParseDSN(d.Text())
		if err != nil {
			t.Fatalf("%q: its text %q can't be read: %v", in, d.Text(), err)
		}
		if again.Text() != d.Text() || again.HasPassword() {
			t.Fatalf("%q: its text %q reads as %q", in, d.Text(), again.Text())
		}
	})
}
