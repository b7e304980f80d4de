// Package sql checks what streams compute against an independent computation: generated rows go through the real engine, and as raw text into
// SQLite, which computes every aggregate of every kind of window in its own way; then each cell of each result is compared.
//
// EDGED_TEST=all takes a million rows, anything else 10,000. What is compared how is in checks_test.go, the SQL in queries/.
package sql
