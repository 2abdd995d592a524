"""The same decisions in DingTalk's own approvals (OA 审批), for companies that also want them there."""
