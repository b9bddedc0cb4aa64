package app

import (
	"fmt"
	"time"

	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/site"
	"moult/core/update"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func version(s string) release.Version {
	v, err := release.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

// wiki is the Duckpond wiki: 1.4.2 is installed and 1.5.0 is on offer.
func wiki() *fakeEngine {
	e := &fakeEngine{
		dir:     "/srv/www/duckpond",
		current: version("1.4.2"),
		config: site.Config{
			Name:     "Duckpond wiki",
			Source:   site.Source{URL: "https://updates.example.org/duckpond/", Channel: "stable"},
			Database: site.Database{DSN: "wiki@tcp(127.0.0.1:3306)/wiki"},
		},
		offer: wikiOffer(),
		history: []update.Record{
			{Result: update.Result{ID: "20261012-0900", From: version("1.4.1"), To: version("1.4.2"), Started: at("2026-10-12T09:00:00Z"), Ended: at("2026-10-12T09:00:05Z"), State: update.Done, Site: update.SiteNew}, CanRollBack: true, DiskBytes: 2_100_000},
			{Result: update.Result{ID: "20260901-2114", From: version("1.4.0"), To: version("1.4.1"), Started: at("2026-09-01T21:14:00Z"), Ended: at("2026-09-01T21:14:04Z"), State: update.RolledBack, Site: update.SiteOld, Kind: update.KindUnhealthy, Message: "GET http://127.0.0.1:8080/health: 502 Bad Gateway"}},
		},
	}
	e.plan = wikiPlan
	return e
}

// shop is a site that is up to date.
func shop() *fakeEngine {
	return &fakeEngine{dir: "/srv/www/shop", current: version("2.0.1"),
		config: site.Config{Name: "Pond shop", Source: site.Source{URL: "https://updates.example.org/shop/"}},
		offer:  &update.Offer{Current: version("2.0.1"), Target: version("2.0.1"), Strategy: release.Strategy{Kind: release.None, Reason: "2.0.1 is installed and is the newest."}, Trust: wikiTrust()}}
}

func wikiTrust() update.Trust {
	return update.Trust{Level: update.Trusted, Signer: "Duckpond", Expires: at("2027-03-01T00:00:00Z"), Detail: ""}
}

func wikiOffer() *update.Offer {
	return &update.Offer{
		Current: version("1.4.2"), Target: version("1.5.0"), Released: at("2026-11-12T09:00:00Z"),
		Strategy: release.Strategy{Kind: release.PatchPack, Reason: "A patch leads from 1.4.2 to 1.5.0. It is 1.8 MB; the full package would be 64 MB.", Bytes: 1_812_443, FullBytes: 64_120_031, Hops: []release.Version{version("1.5.0")}},
		Notes: []update.Note{
			{Version: version("1.5.0"), Released: at("2026-11-12T09:00:00Z"), Markdown: "# Duckpond 1.5\n\nThe editor has been written anew.\n\n## New\n\n* Tables can be edited in place\n* **Dark mode**, see [the manual](https://duckpond.example.org/manual)\n* Uploads of up to `64 MB`\n\n## Removed\n\n* The fax field of users\n\n![screenshot](http://tracker.example.org/pixel.png)\n\n```\nphp maintenance/rebuild.php\n```\n"},
			{Version: version("1.4.3"), Released: at("2026-10-30T09:00:00Z"), Markdown: "Fixes a slow query on the list of recent changes.\n"},
		},
		Trust: wikiTrust(),
	}
}

func digest(s string) release.Digest { return release.DigestOf([]byte(s)) }

func fileState(content string) files.State {
	return files.State{Size: int64(len(content)), Mode: 0o644, SHA256: digest(content)}
}

// wikiPlan is the plan of the update, with choices worked in.
func wikiPlan(c update.Choices) *update.Plan {
	p := &update.Plan{
		ID: "20261121-1000", From: version("1.4.2"), To: version("1.5.0"), Strategy: wikiOffer().Strategy, Notes: wikiOffer().Notes, Trust: wikiTrust(),
		Files: wikiFiles(c), Schema: wikiSchema(c), Proof: update.Proof{Proved: true, Reason: "run there and back on an empty copy of the database"},
		DiskBytes: 12_300_000, FreeBytes: 41_000_000_000, Takes: 7 * time.Second, Downtime: 900 * time.Millisecond, Hash: "9f2c",
		Checks: []update.Check{
			{Code: "disk", Level: update.CheckOK, Text: "The update needs 12 MB on the disk; 41 GB are free."},
			{Code: "permissions", Level: update.CheckOK, Text: "Every directory that changes can be written to."},
			{Code: "database rights", Level: update.CheckOK, Text: "The user wiki has the rights that the update needs"},
			{Code: "lock", Level: update.CheckOK, Text: "No other updater is at work on this site."},
			{Code: "database engines", Level: update.CheckWarn, Text: "Tables that the update touches know no transactions; if the server dies in the middle, they may have to be repaired: searchindex", Hint: "make a dump first, or convert them with ALTER TABLE … ENGINE=InnoDB"},
		},
	}
	return p
}

func wikiFiles(c update.Choices) *files.Plan {
	p := &files.Plan{StageBytes: 4_000_000, Notes: []string{"Files of the package that no operation names, so that they are not installed: 12"}}
	edited := func(path release.Path, shipped, here, new string, merge bool) {
		e := files.Entry{Path: path, Change: files.Replace, Shipped: fileState(shipped), Here: fileState(here), New: fileState(new), Edited: true, Merge: merge, Choice: c.OnEdited}
		if choice, ok := c.Files[path]; ok {
			e.Choice = choice
		}
		p.Entries = append(p.Entries, e)
	}
	add := func(path release.Path, change files.Change, here, new string) {
		e := files.Entry{Path: path, Change: change}
		if here != "" {
			e.Shipped, e.Here = fileState(here), fileState(here)
		}
		if new != "" {
			e.New = fileState(new)
		}
		p.Entries = append(p.Entries, e)
	}
	for i := range 6 {
		add(release.Path(fmt.Sprintf("app/editor/tables/Cell%d.php", i)), files.Add, "", newPageText)
	}
	for i := range 20 {
		add(release.Path(fmt.Sprintf("app/pages/Page%02d.php", i)), files.Replace, shippedPage, newPageText)
	}
	add("app/pages/Fax.php", files.Delete, shippedPage, "")
	add("app/pages/FaxList.php", files.Delete, shippedPage, "")
	add("assets/logo.png", files.Replace, "\x89PNG\x00", "\x89PNG\x00\x01")
	edited("config/wiki.php", shippedConfig, hereConfig, newConfig, true)
	add("index.php", files.Replace, shippedPage, newPageText)
	for i := range 6 {
		add(release.Path(fmt.Sprintf("lang/messages-%c.json", 'a'+i)), files.Replace, shippedPage, newPageText)
	}
	edited("templates/footer.html", "<p>Duckpond</p>\n", "<p>Our pond</p>\n", "<footer>Duckpond</footer>\n", false)
	return p
}

func wikiSchema(c update.Choices) *schema.Plan {
	p := &schema.Plan{
		UpdateID: "20261121-1000",
		Steps: []schema.Step{
			{ID: "s01", Statement: schema.Statement{SQL: "CREATE TABLE `page_tables` (\n  `id` int unsigned NOT NULL AUTO_INCREMENT,\n  `page_id` int unsigned NOT NULL,\n  `content` mediumtext NOT NULL DEFAULT '',\n  PRIMARY KEY (`id`),\n  KEY `idx_page` (`page_id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"},
				Object: "table page_tables", Change: "create the table", Phase: schema.Expand, Rows: -1, Risk: schema.Safe, Table: "page_tables",
				Inverse: []schema.Statement{{SQL: "RENAME TABLE `page_tables` TO `_moult_20261121_1`"}}, KeepsData: false},
			{ID: "s02", Statement: schema.Statement{SQL: "ALTER TABLE `users`\n  ADD COLUMN `theme` varchar(16) NOT NULL DEFAULT 'light' AFTER `email`,\n  ADD COLUMN `last_seen` datetime(3) NULL,\n  ALGORITHM=INSTANT, LOCK=NONE"},
				Object: "table users", Change: "add column theme, add column last_seen", Phase: schema.Expand, Algorithm: "INSTANT", Rows: 48_211, Risk: schema.Safe, Table: "users",
				Inverse: []schema.Statement{{SQL: "ALTER TABLE `users` DROP COLUMN `last_seen`, DROP COLUMN `theme`"}}},
			{ID: "s03", Statement: schema.Statement{SQL: "ALTER TABLE `revisions`\n  MODIFY COLUMN `comment` varchar(500) NOT NULL DEFAULT ''"},
				Object: "table revisions", Change: "change column comment (type)", Phase: schema.Expand, Algorithm: "COPY", Blocks: true, Rows: 1_214_090, Risk: schema.Slow, Table: "revisions",
				Inverse: []schema.Statement{{SQL: "ALTER TABLE `revisions` MODIFY COLUMN `comment` varchar(255) NOT NULL DEFAULT ''"}}},
			{ID: "s04", Statement: schema.Statement{SQL: "ALTER TABLE `revisions` ADD KEY `idx_author_time` (`author`, `created`)"},
				Object: "table revisions", Change: "add index idx_author_time", Phase: schema.Expand, Algorithm: "INPLACE", Rows: 1_214_090, Estimated: true, Risk: schema.Safe, Table: "revisions",
				Inverse: []schema.Statement{{SQL: "ALTER TABLE `revisions` DROP KEY `idx_author_time`"}}},
			{ID: "s05", Statement: schema.Statement{SQL: "ALTER TABLE `users`\n  CHANGE COLUMN `fax` `_moult_20261121_2` varchar(40) DEFAULT NULL INVISIBLE"},
				Object: "table users", Change: "set column fax aside", Phase: schema.Contract, Algorithm: "INSTANT", Rows: 48_211, Risk: schema.KeepsData, KeepsData: true, Table: "users",
				Notes:   []string{"The data of column fax stays in the table, out of sight, until the restore point is discarded."},
				Hazards: []schema.Hazard{{Code: "D2", Text: "Column fax of users is dropped; its values are kept until the restore point is discarded."}},
				Inverse: []schema.Statement{{SQL: "ALTER TABLE `users`\n  CHANGE COLUMN `_moult_20261121_2` `fax` varchar(40) DEFAULT NULL"}}},
			{ID: "s06", Statement: schema.Statement{SQL: "UPDATE `users` SET `theme` = 'dark' WHERE `prefs` LIKE '%dark%'", DML: true},
				Object: "rows", Change: "010-dark-mode.sql", Phase: schema.Scripts, Rows: 48_211, Risk: schema.Safe, Table: "users",
				Inverse: []schema.Statement{{SQL: "UPDATE `users` SET `theme` = 'light'"}}},
		},
		Kept:     []schema.Left{{Object: "table stats_daily", Reason: "was added on this site"}, {Object: "table users, index idx_fax", Reason: "was added on this site"}},
		Warnings: []string{"V1: the view v_contacts stays and seems to use column fax of table users, which goes."},
		Drift:    []schema.Left{{Object: "table pages, column title", Reason: "was changed on this site, and the update does not change it"}},
	}
	if _, answered := c.Renames["table pages, column author→writer"]; !answered {
		p.Renames = []schema.Rename{{Object: "table pages, column author", From: "author", To: "writer"}}
	}
	return p
}

const (
	shippedConfig = "<?php\nreturn [\n    'name' => 'Duckpond',\n    'cache' => 'file',\n    'uploads' => '16M',\n    'editor' => 'classic',\n    'debug' => false,\n];\n"
	hereConfig    = "<?php\nreturn [\n    'name' => 'Our pond — 鸭塘',\n    'cache' => 'file',\n    'uploads' => '16M',\n    'editor' => 'classic',\n    'debug' => false,\n];\n"
	newConfig     = "<?php\nreturn [\n    'name' => 'Duckpond',\n    'cache' => 'file',\n    'uploads' => '64M',\n    'editor' => 'tables',\n    'debug' => false,\n];\n"
	mergedConfig  = "<?php\nreturn [\n    'name' => 'Our pond — 鸭塘',\n    'cache' => 'file',\n    'uploads' => '64M',\n    'editor' => 'tables',\n    'debug' => false,\n];\n"
	shippedPage   = "<?php\nnamespace Duckpond\\Pages;\n\nclass Page extends Base\n{\n    public function title(): string\n    {\n        return $this->row['title'];\n    }\n\n    public function save(array $values): void\n    {\n        $this->db->update('pages', $values);\n        $this->cache->clear();\n    }\n}\n"
	newPageText   = "<?php\nnamespace Duckpond\\Pages;\n\nclass Page extends Base\n{\n    public function title(): string\n    {\n        return $this->row['title'] ?? $this->untitled();\n    }\n\n    public function save(array $values): void\n    {\n        $this->db->transaction(function () use ($values) {\n            $this->db->update('pages', $values);\n        });\n        $this->cache->clear();\n    }\n}\n"
)
