package demo

import (
	"fmt"
	"strings"
	"time"
)

// rows are what the sites' databases hold when the demo begins.
var rows = map[string]func() []insert{Wiki: wikiRows, Shop: shopRows}

// opened is when the wiki got its first page; every later date counts from it.
var opened = time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)

var ducks = []string{"mallard", "pintail", "shoveler", "teal", "wigeon", "gadwall", "eider", "goldeneye", "smew", "scaup", "garganey", "mandarin"}

var topics = []string{"bread", "reeds", "migration", "nests", "feathers", "ponds", "dabbling", "diving", "ducklings", "winter"}

// wikiRows gives the wiki users of whom some have a fax number, pages with
// revisions and tags, faxes that wait, and a table and an index of the admin's own.
func wikiRows() []insert {
	users := insert{table: "users", columns: []string{"id", "name", "email", "password", "fax", "created"}}
	for i, name := range ducks {
		var fax any
		if i%3 == 0 {
			fax = fmt.Sprintf("+49 30 555 %04d", 1000+i)
		}
		users.rows = append(users.rows, []any{i + 1, name, name + "@duckpond.example", "$2y$12$" + strings.Repeat(string(name[0]), 53), fax, opened.AddDate(0, i, 0)})
	}
	pages := insert{table: "pages", columns: []string{"id", "slug", "title", "body", "author_id", "updated"}}
	revisions := insert{table: "revisions", columns: []string{"page_id", "author_id", "body", "created"}}
	tags := insert{table: "tags", columns: []string{"id", "name"}}
	pageTags := insert{table: "page_tags", columns: []string{"page_id", "tag_id"}}
	for i, topic := range topics {
		tags.rows = append(tags.rows, []any{i + 1, topic})
	}
	for i := range len(ducks) * len(topics) {
		duck, topic := ducks[i%len(ducks)], topics[i/len(ducks)]
		id, author := i+1, i%len(ducks)+1
		slug := duck + "-" + topic
		body := fmt.Sprintf("# %s and %s\n\nWhat a **%s** knows of %s. See also [[%s-winter]].\n", duck, topic, duck, topic, duck)
		pages.rows = append(pages.rows, []any{id, slug, duck + ": " + topic, body, author, opened.AddDate(0, 0, 5*i)})
		pageTags.rows = append(pageTags.rows, []any{id, i/len(ducks) + 1})
		for n := range 1 + i%4 {
			revisions.rows = append(revisions.rows, []any{id, author, body + strings.Repeat("An older thought.\n", n+1), opened.AddDate(0, 0, 5*i-n)})
		}
	}
	return []insert{
		users, pages, revisions, tags, pageTags,
		{table: "settings", columns: []string{"name", "value"}, rows: [][]any{{"theme", "pond"}, {"registration", "open"}, {"home", "mallard-ponds"}}},
		{table: "sessions", columns: []string{"id", "user_id", "data", "seen"}, rows: [][]any{
			{strings.Repeat("a1", 20), 1, []byte{0, 1, 2, 0xff}, opened}, {strings.Repeat("b2", 20), nil, nil, opened}}},
		{table: "fax_queue", columns: []string{"user_id", "page_id", "queued"}, rows: [][]any{{1, 3, opened}, {4, 7, opened}, {7, 20, opened}}},
		{statement: "CREATE TABLE guestbook (id INT NOT NULL AUTO_INCREMENT, entry TEXT NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"},
		{statement: "CREATE INDEX own_title ON pages (title)"},
		{table: "guestbook", columns: []string{"entry"}, rows: [][]any{{"Quack!"}, {"Nice pond."}}},
	}
}

func shopRows() []insert {
	return []insert{
		{table: "articles", columns: []string{"name", "price"}, rows: [][]any{{"Rye bread", "2.40"}, {"Oats", "1.10"}, {"Lettuce", "0.90"}}},
		{table: "orders", columns: []string{"article_id", "pieces", "ordered"}, rows: [][]any{{1, 2, opened}, {2, 10, opened}, {1, 1, opened}}},
	}
}
