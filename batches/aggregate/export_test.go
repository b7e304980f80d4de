package aggregate

// Tested are the kinds that the tests of this package go through.
var Tested = kinds
