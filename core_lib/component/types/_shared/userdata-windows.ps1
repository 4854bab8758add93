# Sets an instance up: surroundings, helper scripts, then what the stack describes. The last command of that is the signal to the
# stack, so that restarts on the way are waited for; here only failures are told.
# Sources: "cfn-init" and "cfn-signal" in the CloudFormation Template Reference, "EC2Launch" in the EC2 User Guide.
$ErrorActionPreference = 'Stop'
Start-Transcript -Append C:\pipeline\user-data.log | Out-Null

function Read-Lines($File) {
    $found = @{}
    foreach ($line in Get-Content -Encoding utf8 $File) {
        $name, $value = $line -split '=', 2
        if ($name) { $found[$name] = $value }
    }
    $found
}

$orders = Read-Lines C:\pipeline\orders
$tools = 'C:\Program Files\Amazon\cfn-bootstrap'
$env:Path += ";$tools"

try {
    # What the deployment tells: variables of the machine, which no shell ever executes.
    (Read-Lines C:\pipeline\environment).GetEnumerator() | ForEach-Object {
        [Environment]::SetEnvironmentVariable($_.Key, $_.Value, 'Machine')
        [Environment]::SetEnvironmentVariable($_.Key, $_.Value, 'Process')
    }

    if ($orders.PROXY) {
        $bypass = (@($orders.NO_PROXY -split ',') + '169.254.169.254', '<local>' | Where-Object { $_ }) -join ';'
        netsh winhttp set proxy proxy-server="$($orders.PROXY -replace '^https?://')" bypass-list="$bypass" | Out-Null
        foreach ($name in 'http_proxy', 'https_proxy') {
            [Environment]::SetEnvironmentVariable($name, $orders.PROXY, 'Machine')
            [Environment]::SetEnvironmentVariable($name, $orders.PROXY, 'Process')
        }
        foreach ($target in 'Machine', 'Process') {
            [Environment]::SetEnvironmentVariable('no_proxy', "$($orders.NO_PROXY),169.254.169.254,localhost", $target)
        }
        Restart-Service AmazonSSMAgent -ErrorAction SilentlyContinue
    }

    if ($orders.NAME_SERVERS) {
        Get-NetAdapter | Where-Object Status -eq 'Up' |
            Set-DnsClientServerAddress -ServerAddresses ($orders.NAME_SERVERS -split ' ')
    }

    if (-not (Get-Command cfn-init.exe -ErrorAction SilentlyContinue)) {
        $setup = 'C:\pipeline\cfn-bootstrap.exe'
        $source = 'https://s3.amazonaws.com/cloudformation-examples/aws-cfn-bootstrap-py3-win64-latest.exe'
        Invoke-WebRequest -UseBasicParsing $source -OutFile $setup
        Start-Process $setup -ArgumentList '/quiet' -Wait
    }

    if ($orders.BAKE -eq 'yes') {
        # Sysprep without switching the machine off: CreateImage does that.
        @'
$ErrorActionPreference = 'Stop'
$launch2 = "$env:ProgramFiles\Amazon\EC2Launch\EC2Launch.exe"
$launch1 = 'C:\ProgramData\Amazon\EC2-Windows\Launch\Scripts'
Remove-Item -Recurse -Force C:\cfn\cfn-init\data, C:\pipeline\context.* -ErrorAction SilentlyContinue
if (Test-Path $launch2) {
    & $launch2 reset --block
    & $launch2 sysprep --shutdown=false --block
} else {
    & "$launch1\InitializeInstance.ps1" -Schedule
    & "$launch1\SysprepInstance.ps1" -NoShutdown
}
'@ | Set-Content -Encoding utf8 C:\pipeline\generalise.ps1
    }

    & cfn-init.exe -v --region $orders.REGION --stack $orders.STACK --resource $orders.DESCRIBED --configsets default
    if ($LASTEXITCODE -ne 0) { throw "cfn-init ended with $LASTEXITCODE" }
}
catch {
    Write-Output "not set up: $_"
    & "$tools\cfn-signal.exe" -e 1 --region $orders.REGION --stack $orders.STACK --resource $orders.SIGNALS
}
finally {
    Stop-Transcript | Out-Null
}
