// Package acl reads access control lists in Mosquitto's syntax and says who may read and write which topics:
//
//	topic [read|write|readwrite|deny] FILTER      before the first user line: clients without a user name; after it: that user
//	user NAME
//	pattern [read|write|readwrite|deny] FILTER    everybody; %u is the user name, %c the client identifier
//
// Words are separated by spaces; a filter may have spaces in it if the access stands before it. Without an access both are meant.
// Lines that begin with # are comments. What nothing allows is denied. (mosquitto.conf(5), acl_file; tried with Mosquitto 2.0.11.)
//
// edged is stricter than Mosquitto 2.0 in this:
//   - deny wins over whatever allows. In Mosquitto a topic line that allows wins over a pattern that denies.
//   - A name with / in it, or an empty one, is not put in the place of %u or %c where the pattern allows.
//     Mosquitto 2.0 does it, and with the pattern dev/%c a client that calls itself "a/secret" has dev/a/secret.
//   - A name that begins with $ does not open topics that begin with $ through a pattern like %c/#.
//   - A line that ends after read, write, readwrite or deny is a mistake. Mosquitto takes the word as a topic that may be read and written.
//   - Subscriptions that could never bring anything are refused. Mosquitto accepts them all.
//
// In one thing it is not so strict: Mosquitto applies no pattern at all to a client with + or # in its names; edged applies those that do
// not use that name.
//
// What holds, and the test that guards it:
//   - Verdicts are those of a plain reading of the file (TestModel), and of Mosquitto (TestVerdictsOfMosquitto).
//   - A subscription is refused only if no topic that it matches may be read (TestModel).
//   - A file with a mistake allows nobody anything (TestMistakes).
//   - Asking allocates nothing (TestVerdictsDoNotAllocate).
package acl
