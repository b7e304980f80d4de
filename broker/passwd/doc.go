// Package passwd reads, checks and edits password files as Mosquitto's mosquitto_passwd writes them: a line USER:HASH for each user,
// comments that begin with #, blank lines. HASH is one of
//
//	$7$ITERATIONS$SALT$KEY   KEY = PBKDF2 with HMAC-SHA512, 64 bytes
//	$6$SALT$KEY              KEY = SHA512(password followed by salt); Mosquitto 1.6 and older
//
// with SALT and KEY in standard base64 with padding. (Found by making files with mosquitto_passwd 2.0.11; testdata has some.)
//
// What holds, and the test that guards it:
//   - Files of Mosquitto are read, and Mosquitto reads ours (TestFilesOfMosquitto, TestMosquittoReadsOurFiles).
//   - A name that is not in the file costs as much time as one that is, so that names cannot be probed (TestUnknownUsersCostTheSame).
//   - A line that is not understood lets nobody in, and is a problem that says its line; no problem says any of a password
//     (TestProblems).
//   - An edit leaves all other lines as they are (TestEditsLeaveTheRest).
package passwd
