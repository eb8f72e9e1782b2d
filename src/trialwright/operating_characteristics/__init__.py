"""Operating characteristics: very many fast simulated trials, from the same study folder that runs the trial.

Needs the extra ``trialwright[analysis]``; ``trialwright[fast]`` adds compiled kernels that give the same decisions.
"""
