// Package parse reads SQL text into the model of package schema.
//
// [Text] and [File] take what people and tools write: hand-made schema files,
// dumps of mysqldump, mariadb-dump and phpMyAdmin, and what SHOW CREATE prints.
// The [schema.Flavor] says which server the text is for: it decides what stands
// in version comments and what some words mean.
//
// What a source says is applied statement by statement, as a server would:
// CREATE, then ALTER TABLE and CREATE INDEX on what is there, DROP and RENAME.
// The result is the schema at the end. Statements that only concern rows,
// accounts or the session are passed over.
//
// The promise is that nothing is silently left out: a definition that can't be
// read is an [*Error] with file, line, column and the words around. A table
// that went missing here would look like one to be dropped.
//
// The way of a text:
//
//	bytes      → [Splitter]  statements, rows passed over, memory flat
//	statement  → lexer       tokens as the flavor's server sees them
//	tokens     → cursor      definitions in the model, expressions as source text
//	expression → [Expr]      the form used to compare, by way of a parse tree
//
// The grammar of definitions is the package's own and not the one of the TiDB
// parser, which reads about four in five of the definitions in testdata, drops
// clauses without a word and gives no source text of expressions back. For TiDB
// itself that parser is the server's word, and judges what was read. Of MySQL and
// MariaDB it is a second reader in a test, where it agrees on every one of the
// 10 645 tables of real products that it takes. As a second opinion on a user's
// own file it would say nothing of what it agrees with, and of the rest only that
// it lacks a construct that the server has: a warning that nobody should heed.
//
// A comment "@renamed from=old" in or before a table, column or index declares
// a rename. After USE, what stood before the first USE is forgotten: it
// belongs to another database.
//
// The package never connects to anything, never executes, and keeps no state:
// its functions may be called from any goroutine.
package parse
