internal import PhotodbCommands

await PhotodbProgram.main()
