package app

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"moult/resources"
)

// notTranslated is what stays as it is in any language: names, addresses, paths,
// SQL, what servers say, commands, keys, the record that an update keeps of itself,
// and the notes of a publisher.
var notTranslated = regexp.MustCompile(strings.Join([]string{
	`Ctrl\+\S+`, `https?://\S+`, `\S*[/@\\]\S*`, `"?at night"?`, `\S*\.(php|sql|toml|new|html|json|png|zst)\b`, `ALTER TABLE[^，。]*`, `GRANT [A-Z ]+ ON \S+`,
	`(?i)\b(Moult|Duckpond( wiki)?|Pond shop|MariaDB|mysql|SHA-256|SQL|DSN|SET GLOBAL|Ctrl\+\w+|Esc|Tab|Page Down|assets|config|lang|templates|Return|Comma|English|InnoDB|ENGINE=InnoDB|root|own|min)\b`,
	`\b(users|theme|last_seen|revisions|comment|idx_author_time|fax|page_tables|stats_daily|idx_fax|pages|title|author|writer|v_contacts|searchindex|users\.fax|uq_email|email|wiki_moult|thumbnails|wiki|duckpond|shop|forum|www|srv)\b`,
	`\b(x86_64|aarch64|stable|prompt|keyring:NAME|env:NAME|file:\.env#DB_PASSWORD|docker compose (stop|start) app|maintenance\.flag|uploads/|\d+[smhd]|user|tcp)\b`,
	`\b[0-9a-f]{64}\b`, `\d+(\.\d+)* ?([kM]?B|ms|s|k|M)\b`, `[0-9a-f]{4}( [0-9a-f]{4})+`,
	`lock wait timeout exceeded|input/output error|Access denied for user|502 Bad Gateway|switch files  files=\d+|GET\b|GRANT ALL PRIVILEGES ON|rename|dial tcp: lookup|no such host|get|error|is missing|source\.url|Found`,
	`GRANT|ALL|PRIVILEGES|CREATE|TABLE|int|unsigned|NOT|NULL|AUTO_INCREMENT|mediumtext|DEFAULT|PRIMARY|KEY|CHARSET|utf8mb4|id|page_id|content|idx_page`,
}, "|"))

var english = regexp.MustCompile(`[A-Za-z]{3,}`)

// TestChineseIsChineseEverywhere puts every state into the window and looks for
// English in whatever is drawn.
func TestChineseIsChineseEverywhere(t *testing.T) {
	speak = resources.Chinese
	defer func() { speak = resources.English }()
	t.Setenv("HOME", t.TempDir()) // whose files stand in the dialog that saves
	b := newBench(t, wiki(), shop())
	for _, sc := range scenes {
		if sc.name == "ready-notes" {
			continue // the publisher's own words
		}
		b.show(t, sc)
		for _, text := range b.drawn() {
			if rest := notTranslated.ReplaceAllString(text, ""); english.MatchString(rest) {
				t.Errorf("%s: %q has %q", sc.name, text, english.FindString(rest))
			}
		}
		b.closeAll()
	}
}

// drawn returns every text that is drawn, but for code.
func (b *bench) drawn() []string {
	found := map[string]bool{}
	for _, root := range append(b.app.window.Canvas().Overlays().List(), b.app.window.Content()) {
		b.walk(root, func(o fyne.CanvasObject) {
			if text, ok := o.(*canvas.Text); ok {
				found[text.Text] = true
			}
		})
	}
	return slices.Sorted(maps.Keys(found))
}
