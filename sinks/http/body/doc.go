// Package body makes the bodies of requests from templates, for an API that wants a shape of its own.
//
// A body is prefix, the rows by a template each with a separator between them, and suffix. The templates are in the language of
// package text/template, cut down to what places values: there are no loops, variables, definitions or calls of anything
// but a short list of functions, so that the cost is that of the rows, nothing can be read but the row, and a mistake is
// found when the configuration is loaded.
//
//	row = '[{{unix_ms .time}},{{json .value}}]'
//	separator = ","
//	prefix = '{"series":{{json .stream}},"points":['
//	suffix = ']}'
//
// # Functions
//
//	{{.x}}               the value as it is, without quotes; a missing one is null
//	{{json .x}}          as JSON, with quotes and escapes where it needs them; a missing one is null
//	{{json .}}           the whole row, as the object that it is in NDJSON
//	{{json (text .x)}}   as a JSON text, whatever it is: "23.5"
//	{{unix .t}}          a time as a whole number of seconds since 1970; unix_ms, unix_us, unix_ns in smaller units
//	{{date "02.01.2006" .t}}  a time in UTC, by the layout of package time
//	{{fixed 2 .x}}       a number with so many digits behind the point
//	{{default 0 .x}}     the second, or the first if the second is missing
//	{{if has .x}}…{{else}}…{{end}}, with eq, ne, not, and, or
//
// No function fails: what is not of the type that it wants is null, and comes out as null.
//
// # Invariants
//
//  1. The same rows and templates make the same bytes (TestTemplateConformance of sinks/http; Encoding names
//     the templates).
//  2. What compiles renders: there are no errors while rows are delivered, whatever is in them (TestNothingFails).
//  3. The work for a row is bounded by the length of its template and of its values (TestForbidden).
package body
