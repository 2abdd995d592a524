"""What a sentence asks for and no line holds, so that no figure answers for it without a word.

An *unsupported topic* is something that no command tells, such as new customers or the day on which goods came in. Its
words stand in the sentences' files, the table of its kinds in `bot.understanding.unsupported_topics`: beside this
package, because the files are read with it. `unsupported_topic_finding` finds it. For a new subject, begin there.

A *limit* is a way to ask that no line can take: an exception, what is not so, two things side by side, what is to
come. How the sentence is built shows it; only the facts of ``unknown.toml`` are words. `limit_finding` finds it. For
a new way to ask, begin there.

Both are a choice: the card says what is not held and offers the lines that come nearest. Both are looked for before
the line is made, and once more in the days and ranks that the line leaves out.

They stay two, because what comes nearest is found in two ways: to a gap, lines that its kind names, for which its
finder needs to know which command the words speak for, and what the ERPs tell; to a limit, the same sentence without
the words that no line takes, read again. As one they would have all fields of both, and each would leave half empty.

*Residue* is what a line does not use though it answers the question: a word that nobody knows, a name, days, an amount.
The line is run, and its card tells the words; it is a choice if a word asks for another command, or if no word asks for
this one. `residue` compares the scan of a sentence with its lines. What a word says beside a line that tells it anyway
is data: the tables *asides* and *tells* of the files in `commands/sentences`. For a word that is told in vain, or that
vanishes, begin there.

`states` reads two states that documents are to have at once, for `limit_finding`.

Some of it lines may hold: `bounds` are those of amounts, `comparisons` those of days in a report. `parts` reads two
questions in one sentence, which are a choice of two lines.
"""
