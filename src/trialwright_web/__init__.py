"""The application: screens over the commands and views of ``trialwright``. Three processes of one project:

*staff* sees the open space only, *closed* (laboratory, unblinded roles, emergency unblinding) holds both spaces,
*public* serves the trial pages and the participants. Which one a process is, its environment says.
"""
