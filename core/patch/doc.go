// Package patch applies one package to one directory, without a publisher, a
// server or a database: for packages that came by mail or on a stick, made by
// Moult or by another tool.
//
// [Apply] reads the operations from the package itself or from the caller,
// plans, stages, switches and verifies the files with the same transaction as
// an update, so that the directory is changed wholly or not at all, even by a
// process that is killed. With Options.Backup the way back is kept in .moult, and
// [Undo] takes it. Without it nothing of Moult's is left in the directory.
//
// Nobody has signed such a package: whoever calls Apply has to trust the file.
// For that reason the package never touches a site that has an update address;
// those are changed by core/update only.
package patch
