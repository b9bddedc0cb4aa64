package publish_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"moult/core/publish"
	"moult/core/release"
)

// wire counts the bytes of all connections, headers included, both ways.
type wire struct {
	net.Listener
	bytes atomic.Int64
}

type wireConn struct {
	net.Conn
	wire *wire
}

func (w *wire) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return &wireConn{c, w}, err
}

func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.bytes.Add(int64(n))
	return n, err
}

func (c *wireConn) Write(b []byte) (int, error) {
	c.wire.bytes.Add(int64(len(b))) // before whoever reads them can ask for the sum
	return c.Conn.Write(b)
}

// A site that checks every day must cost next to nothing, also on the day after the
// publisher's job has renewed the metadata.
func TestCheckWithNothingNewIsBelow10KB(t *testing.T) {
	repo := pond(t, publish.InitOptions{Threshold: 2})
	var requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.FileServer(http.Dir(repo)).ServeHTTP(rw, r)
	}))
	w := &wire{Listener: server.Listener}
	server.Listener = w
	server.Start()
	defer server.Close()
	dir := tempRoot(t)
	check := func(now time.Time) (bytes, asked int64) {
		t.Helper()
		before, first := w.bytes.Load(), requests.Load()
		r, err := site(t, repo, server.URL, dir, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(t.Context(), "stable/manifest.json", release.MaxManifest); err != nil {
			t.Fatal(err)
		}
		return w.bytes.Load() - before, requests.Load() - first
	}
	check(day)
	same, asked := check(day)
	if asked != 2 || same > 10<<10 {
		t.Errorf("nothing new: %d requests, %d bytes", asked, same)
	}
	tomorrow := day.Add(24 * time.Hour)
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, tomorrow); err != nil {
		t.Fatal(err)
	}
	renewed, asked := check(tomorrow)
	if asked != 3 || renewed > 10<<10 {
		t.Errorf("only renewed: %d requests, %d bytes", asked, renewed)
	}
	_, costs, err := publish.MeasureFleet(repo, "stable")
	if err != nil {
		t.Fatal(err)
	}
	if model := costs.Quiet + 3*costs.Request; renewed > model || model > 2*renewed {
		t.Errorf("the fleet reckons with %d bytes a check, measured are %d", model, renewed)
	}
	t.Logf("a check costs %d bytes on the same day, %d after the daily renewal", same, renewed)
}

func TestFleetOfAHundredThousandSites(t *testing.T) {
	fleet := publish.Fleet{
		Sites: 100_000, Days: 14, Version: version(t, "1.5.0"),
		Costs:  publish.FleetCosts{Quiet: 1500, News: 20_000, Files: 400_000, Full: 64 << 20, Patch: 2 << 20, Delta: 20_000, Request: 700},
		Ramp:   []int{1, 10, 10, 50, 100},
		Weekly: 10, Edited: 15, Behind: 3,
	}
	days := fleet.Run()
	updated := map[release.StrategyKind]int{}
	for _, d := range days {
		for kind, n := range d.Updated {
			updated[kind] += n
		}
		if install := int64(d.Updated[release.Full]+d.Updated[release.PatchPack]+d.Updated[release.DeltaPack]) * fleet.Costs.Files; d.Day > 10 && (d.Metadata-install)/int64(d.Checks) > 10<<10 {
			t.Errorf("day %d: more than 10 KiB of metadata a check", d.Day)
		}
		t.Logf("day %2d: %6d checks %7d requests %6.2f GB metadata %7.2f GB packages, current %6d",
			d.Day, d.Checks, d.Requests, float64(d.Metadata)/1e9, float64(d.Packages)/1e9, d.Current)
	}
	last := days[len(days)-1]
	if last.Current != fleet.Sites || updated[release.Full]+updated[release.PatchPack]+updated[release.DeltaPack] != fleet.Sites {
		t.Errorf("%d of %d sites are current, updates %v", last.Current, fleet.Sites, updated)
	}
	near := func(got, percent int) bool {
		return got > fleet.Sites*percent/100*9/10 && got < fleet.Sites*percent/100*11/10
	}
	if !near(days[2].Current, 10) || days[0].Current > 2000 {
		t.Errorf("after three days %d sites, want about 10 per cent", days[2].Current)
	}
	if !near(updated[release.Full], 3) || !near(updated[release.PatchPack], 15) {
		t.Errorf("updates %v", updated)
	}
	again := fleet.Run()
	for d := range days {
		if again[d].Packages != days[d].Packages || again[d].Current != days[d].Current {
			t.Fatalf("day %d is another one in a second run", d)
		}
	}
}
