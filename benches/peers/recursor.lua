rpzFile("@LISTS@/rpz.zone", {policyName="rpz"})
